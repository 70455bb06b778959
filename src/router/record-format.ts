/**
 * The request line for `logs`: what src/logs/router-record.ts reads. A variable that is not set is
 * `-`, or a quoted nothing. Quoted texts may be anything a client sends, and of any length: the last
 * ones may be cut, or missing. Of the entry the app's id is a part: to find that for each would take HAProxy longer than to tell all.
 */
export const RECORD = [
  '%[date(0,us)]',
  '%[var(txn.entry)]',
  '%TR %Tw %Tc %Ta %ST %B %[capture.res.hdr(0)] %ts',
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
/** Bytes. A longer one finds no room in a buffer of HAProxy's, and is lost. */
export const LONGEST_RECORD = 15_000
