/**
 * HAProxy's record of a request, as src/router/record-format.ts has it written, read into its fields.
 * Of what clients wrote nothing gets on that could pass for another field, another line, or an
 * order to a terminal.
 */

import type { AppId } from '../model/ids.ts'

const WORD = '[!-~]+'
/** The app's entry, of which its id is the fourth part: see `entryOf` of src/router/routing-table.ts. That alone is told by a router that was not reloaded since an update of Mayfly. */
const ENTRY = String.raw`(?:[^\s/]+/[^\s/]+/[^\s/]*/)?([-0-9a-f]{36})(?:/\S*)?`
const TEXT = String.raw`((?:[^"\\]|\\.)*)`
/** The last of them, the answer's length, and `src`, are not told by a router that was not reloaded since an update of Mayfly; `fwd` then has all. */
const NUMBERS = String.raw`(-?\d+) (-?\d+) (-?\d+) (-?\d+) (-?\d+) (\d+)(?: (\d+|-))?`
/** With what HAProxy 3 tells of a bad end beside: see `LOG_FORMAT` there. No client has a word in it, for quotes stand around those. */
const ENDED = String.raw`(\S\S)(?:\/([^"]{0,200}?))?`
/** HAProxy cuts a record that is too long. */
const RECORD = new RegExp(
  String.raw`^(\d+) ${ENTRY} ${NUMBERS} ${ENDED} (\S+) (${WORD} ${WORD} ${WORD}) method=(${WORD}) request_id=(\S+)` +
    String.raw` dyno=(${WORD})(?: src=(${WORD}))? agent="${TEXT}" host="${TEXT}(?:" fwd="${TEXT}(?:" path="${TEXT})?)?\\?(?:"[ a-z=]{0,6})?$`,
)
/**
 * Of a request that ended well, and in which a client wrote nothing odd, as most do: its words stand in
 * the line as they stand in the record. To read one so takes half the time. Quoted texts are of ASCII's
 * printable characters.
 */
const PLAIN = new RegExp(
  String.raw`^(\d+) ${ENTRY} ${NUMBERS} --(?:\/-\/-\/-)? - (${WORD} ${WORD} ${WORD}) method=(${WORD}) (request_id=[\w.:[\]+/=-]+)` +
    String.raw` (dyno=[!-9;=-~]+):${WORD} src=([\w.:]+) agent="" host="([\w.:[\]+/=-]*)" fwd="" path="(\/[ !#-[\]-~]*)"$`,
)

/** Of a record. Times are in milliseconds, and negative for a phase that was not reached. */
export interface RequestFields {
  readonly us: number
  readonly app: AppId
  readonly received: number
  readonly queued: number
  readonly connected: number
  readonly active: number
  readonly status: number
  /** Of the answer, its head included, whoever answered. */
  readonly bytes: string
  /** Of a dyno's answer, as that says: `-` if it does not. */
  readonly length: string
  readonly ended: string
  /** That it ended like a client's leaving, and was the dyno's silence. */
  readonly fellSilent: boolean
  readonly state: string
  /** HTTP's major version, the scheme and TLS's version. */
  readonly protocol: string
  /** As they stand in the line; `id` and `dyno` with their names. */
  readonly method: string
  readonly path: string
  readonly host: string
  readonly id: string
  readonly fwd: string
  readonly dyno: string
  readonly agent: string
}

/** Undefined for one that has to be read by `anyFields`, which says the same of all others. */
export function plainFields(record: string): RequestFields | undefined {
  const found = PLAIN.exec(record)
  if (!found) return undefined
  return {
    ...numbersIn(found),
    ended: '--',
    fellSilent: false,
    state: '-',
    protocol: found[10] ?? '',
    method: found[11] ?? '',
    id: found[12] ?? '',
    dyno: found[13] ?? '',
    fwd: found[14] ?? '',
    host: found[15] ?? '',
    path: found[16] ?? '',
    agent: '',
  }
}

/** Undefined for what is no record. */
export function anyFields(record: string): RequestFields | undefined {
  const found = RECORD.exec(record.replaceAll('\n', ' '))
  if (!found) return undefined
  const [ended = '', whoLeft = '', state = '', protocol = '', method = '', id = ''] =
    found.slice(10)
  const [server = '', src = '', agent = '', host = '', fwd = '', uri = ''] =
    found.slice(16)
  const numbers = numbersIn(found)
  return {
    ...numbers,
    ended: inItsPhase(ended, numbers.bytes),
    fellSilent: ended === 'CD' && isSilence(whoLeft, numbers.active),
    state,
    protocol,
    method,
    path: printable(pathOf(uri)),
    host: word(host),
    id: `request_id=${word(id)}`,
    fwd: chain(fwd) + src,
    dyno: `dyno=${placeOf(server)}`,
    agent: printable(unescape(agent).replaceAll('"', '')),
  }
}

/** With which every record begins. */
function numbersIn(found: RegExpExecArray) {
  return {
    us: Number(found[1]),
    app: found[2] as AppId,
    received: Number(found[3]),
    queued: Number(found[4]),
    connected: Number(found[5]),
    active: Number(found[6]),
    status: Number(found[7]),
    bytes: found[8] ?? '',
    length: found[9] ?? '-',
  }
}

/**
 * Whether the dyno was silent for as long as it may be, and the client did not leave: it neither gave the request up, nor
 * did its connection end or fail. What is not understood is no silence. `active`: in milliseconds.
 */
function isSilence(whoLeft: string, active: number): boolean {
  const [, silence, flags] =
    /^0\/(\d+)\/ ?conn\.flg=(0x[0-9a-f]{1,8})$/.exec(whoLeft) ?? []
  if (silence === undefined) return false
  const hasLeft = (Number(flags) & (END_READ | FAILED)) !== 0
  return !hasLeft && active >= Number(silence) - LEEWAY
}

/** Of a connection's flags in HAProxy 3: CO_FL_SOCK_RD_SH, CO_FL_ERROR. */
const END_READ = 0x4_0000
const FAILED = 0x10_0000
/** HAProxy's clock goes by whole milliseconds, and so does each of the times it tells. Milliseconds. */
const LEEWAY = 10

/** Of what was ended by order HAProxy 3 says C (connect) whatever was under way: then it was the answer if something of that came. */
function inItsPhase(ended: string, bytes: string): string {
  return /^[KD]C$/.test(ended) && bytes !== '0' ? `${ended[0]}D` : ended
}

/** A request line may name the whole address; the log shows path and query. Empty where HAProxy cut it off. */
function pathOf(uri: string): string {
  if (uri === '') return ''
  return uri.startsWith('/') ? uri : uri.replace(/^https?:\/\/[^/?]*/i, '') || '/'
}

/** The `web.1` of `web.1:<dyno id>`; empty where no dyno was chosen. */
function placeOf(server: string): string {
  return server.startsWith('<') ? '' : server.slice(0, server.indexOf(':'))
}

/** What stands without quotes must not look like more than one word. */
function word(text: string): string {
  return ODD.test(text) ? unescape(text).replaceAll(ODD_ONES, '_') : text
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(.)/g, '$1') : text
}

/** Without spaces between the addresses, and without quotes. */
function chain(text: string): string {
  return printable(
    /[\\" ]/.test(text) ? unescape(text).replaceAll(', ', ',').replaceAll('"', '') : text,
  )
}

/** Whoever reads the line may do so in a terminal, which takes control characters for orders. */
function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '_')
}

const ODD = /[^\w.:[\]+/=-]/
const ODD_ONES = new RegExp(ODD, 'g')
