/**
 * The request line for `logs`: what src/logs/router-record.ts reads. A variable that is not set is
 * `-`, or a quoted nothing. Quoted texts may be anything a client sends, and of any length: the last
 * ones may be cut, or missing. Of the entry the app's id is a part: to find that for each would take HAProxy longer than to tell all.
 */
function record(ended: string): string {
  return [
    '%[date(0,us)]',
    '%[var(txn.entry)]',
    `%TR %Tw %Tc %Ta %ST %B %[capture.res.hdr(0)] ${ended}`,
    '%[var(txn.code)]',
    '%[var(sess.spoken)]',
    'method=%HM',
    'request_id=%[var(txn.id)]',
    'dyno=%s',
    'src=%[var(sess.src)]',
    'agent=%{+Q,+E}[var(txn.agent)]',
    'host=%{+Q,+E}[var(txn.host)]',
    'fwd=%{+Q,+E}[var(txn.chain)]',
    'path=%{+Q}HU',
  ].join(' ')
}

/**
 * Since 3.0 HAProxy has a dyno's silence end like a client's leaving (`CD`). Of what ended badly it tells since 3.0.8
 * what shows which it was: whether the client gave up, how long a dyno may be silent, and how its connection is.
 */
const WHO_LEFT = [
  '%[fs.aborted,when(error)]',
  '%[cur_server_timeout,when(error)]',
  '%[fs.debug_str(8),when(error)]',
].join('/')

export const LOG_FORMAT = `.if version_atleast(3.0.8)
  log-format '${record(`%ts/${WHO_LEFT}`)}'
.else
  log-format '${record('%ts')}'
.endif`

/** Bytes. A longer one finds no room in a buffer of HAProxy's, and is lost. */
export const LONGEST_RECORD = 15_000
