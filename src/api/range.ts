/**
 * Lists come in parts: `Range: version ..; max=10, order=desc` asks for one, and while there
 * is more the answer is 206 with a `Next-Range` that asks for the next. Clients differ in
 * punctuation, so what isn't understood is passed over; only a property that the list does
 * not have is refused.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'

import { isUuid } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { PartOfList } from '../store/part-of-list.ts'

const ORDINARY_MAX = 200
const LARGEST_MAX = 1000
/**
 * Bytes of an answer with items of a tenant's making: a thousand builds of 30 KB are more than the API should hold
 * for a client that reads slowly. What is beyond comes with the next part.
 */
const LARGEST_PART = 2 * 1024 * 1024
/** The CLI asks for every list by it, also for those that are not sorted so. */
const ALWAYS = 'id'

export interface Range {
  readonly property: string
  readonly from: string
  /** From just after `from`, not at it. */
  readonly after: boolean
  readonly to: string
  readonly max: number
  readonly descending: boolean
}

/**
 * `properties`: what the list can be sorted by, the ordinary one first. A Problem
 * `requested_range_not_satisfiable` for another.
 */
export function parseRange(header: string, properties: readonly string[]): Range {
  const [span = '', ...options] = header.split(/[;,]/)
  const { property, after, from, to } = partsOf(span)
  if (property !== '' && property !== ALWAYS && !properties.includes(property)) {
    throw new Problem(
      'requested_range_not_satisfiable',
      `This list has no range of "${property}", only of ${properties.join(', ')}.`,
    )
  }
  const option = (name: string) =>
    options
      .map((it) => new RegExp(`^\\s*${name}\\s*=\\s*(\\w+)\\s*$`).exec(it)?.[1])
      .find(Boolean)
  const max = Number(option('max') ?? ORDINARY_MAX)
  return {
    property: properties.includes(property) ? property : (properties[0] ?? 'id'),
    from,
    after,
    to,
    max: max >= 1 ? Math.min(max, LARGEST_MAX) : ORDINARY_MAX,
    descending: option('order') === 'desc',
  }
}

/** What a request's header asks for, but no more items at once than `most`; throws as `parseRange`. */
export function rangeOf(
  request: FastifyRequest,
  properties: readonly string[],
  most = LARGEST_MAX,
): Range {
  const range = parseRange(request.headers.range ?? '', properties)
  return { ...range, max: Math.min(range.max, most) }
}

/** What begins a range: its property, if it names one, and whether it is to begin after. */
const BEGINNING = /^(?:(\w+)\s+)?(\])?/

/**
 * Of `property ]from..to`. Cut at the dots first: one expression for all of it tries each way
 * to share a row of spaces among its parts, which for a header of 15,000 takes half an hour.
 */
function partsOf(span: string): Pick<Range, 'property' | 'from' | 'after' | 'to'> {
  const dots = span.indexOf('..')
  if (dots === -1) return { property: '', from: '', after: false, to: '' }
  const start = span.slice(0, dots).trimStart()
  const [beginning = '', property = '', after] = BEGINNING.exec(start) ?? []
  return {
    property,
    from: start.slice(beginning.length).trim(),
    after: after !== undefined,
    to: span.slice(dots + 2).trim(),
  }
}

/** The part of the list that the range asks for, and the range of the next part, if any. */
export function partOf<Item extends object>(
  items: readonly Item[],
  range: Range,
): { readonly part: Item[]; readonly next: string | undefined } {
  const { property, from, after, to, max, descending } = range
  const valueOf = (item: Item) => (item as Record<string, unknown>)[property]
  const direction = descending ? -1 : 1
  const compared = (item: Item, bound: unknown) =>
    direction * compare(valueOf(item), bound)

  const wanted = items
    .toSorted((a, b) => compared(a, valueOf(b)))
    .filter((item) => from === '' || compared(item, from) > (after ? 0 : -1))
    .filter((item) => to === '' || compared(item, to) <= 0)
  const part = wanted.slice(0, max)
  const last = part.at(-1)
  if (!last || part.length === wanted.length) return { part, next: undefined }
  return { part, next: nextAfter(String(valueOf(last)), range) }
}

function nextAfter(last: string, { property, to, max, descending }: Range): string {
  return `${property} ]${last}..${to}; max=${max}, order=${descending ? 'desc' : 'asc'}`
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number') return a - Number(b)
  const [one, other] = [String(a), String(b)]
  if (one === other) return 0
  return one < other ? -1 : 1
}

/**
 * What a range of a list that the database sorts by a number asks of it: the ends, and one
 * more than asked for, which shows whether there are more.
 */
export function numbersIn({ from, after, to, max, descending }: Range) {
  const first = numberIn(from)
  const next = descending ? -1 : 1
  return {
    from: first !== undefined && after ? first + next : first,
    to: numberIn(to),
    descending,
    most: max + 1,
  }
}

function numberIn(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/**
 * What a range of a list that the database sorts and cuts asks of it, and one more, which shows whether there
 * are more. Ends that are none of the property are passed over.
 */
export function partIn<Property extends keyof typeof endIn>(
  range: Range,
): PartOfList<Property> {
  const { property, from, after, to, max, descending } = range
  const by = property as Property
  return {
    by,
    // Whoever names a time by the millisecond, as it was shown, means all of that.
    from: endIn[by](from, !after === descending ? '9' : '0'),
    to: endIn[by](to, descending ? '0' : '9'),
    after,
    descending,
    most: max + 1,
  }
}

const endIn = {
  created_at: instantIn,
  id: (text: string) => (isUuid(text) ? text : undefined),
  name: (text: string) => text || undefined,
  version: (text: string) => (/^\d{1,9}$/.test(text) ? text : undefined),
} as const

/** `rest`: what the microseconds that are left out are, digit by digit. */
function instantIn(text: string, rest: '0' | '9'): string | undefined {
  const at = new Date(text)
  const iso = Number.isNaN(at.getTime()) ? '' : at.toISOString()
  // Of no other years does PostgreSQL read it so.
  if (!/^(?!0000)\d{4}-/.test(iso)) return undefined
  const micros = /\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? ''
  return `${iso.slice(0, -1)}${micros.padEnd(3, rest)}Z`
}

/**
 * Answers with what the database found for `partIn` the range: as many items as were asked for, or fewer
 * where they are large, but one at least.
 */
export function sendFound<Item extends { readonly key: string }>(
  reply: FastifyReply,
  found: readonly Item[],
  {
    range,
    properties,
    show,
  }: {
    readonly range: Range
    readonly properties: readonly string[]
    readonly show: (item: Item) => object
  },
): FastifyReply {
  const texts = textsWithin(LARGEST_PART, found.slice(0, range.max), show)
  const part = found.slice(0, texts.length)
  const [first, last] = [part[0], part.at(-1)]
  reply.header('accept-ranges', properties.join(', '))
  if (first && last) {
    reply.header('content-range', `${range.property} ${first.key}..${last.key}`)
    if (found.length > part.length) {
      reply.status(206).header('next-range', nextAfter(last.key, range))
    }
  }
  return reply.type('application/json; charset=utf-8').send(`[${texts.join()}]`)
}

/** Each item as JSON: the first, and those after it that are no more than so many bytes with it. */
function textsWithin<Item>(
  most: number,
  items: readonly Item[],
  show: (item: Item) => object,
): readonly string[] {
  const texts: string[] = []
  let bytes = 0
  for (const item of items) {
    const text = JSON.stringify(show(item))
    bytes += Buffer.byteLength(text)
    if (bytes > most && texts.length > 0) break
    texts.push(text)
  }
  return texts
}

/** Answers with the part of the list that the reply's request asks for, each item as `show` has it. */
export function sendPart<Item extends object>(
  reply: FastifyReply,
  items: readonly Item[],
  {
    properties = ['id'],
    show = (item) => item,
  }: {
    readonly properties?: readonly string[]
    readonly show?: (item: Item) => object
  } = {},
): FastifyReply {
  const range = rangeOf(reply.request, properties)
  const { part, next } = partOf(items, range)
  reply.header('accept-ranges', properties.join(', '))
  const first = part[0] as Record<string, unknown> | undefined
  const last = part.at(-1) as Record<string, unknown> | undefined
  if (first && last) {
    const [from, to] = [first, last].map((it) => String(it[range.property]))
    reply.header('content-range', `${range.property} ${from}..${to}`)
  }
  if (next) reply.status(206).header('next-range', next)
  return reply.send(part.map(show))
}
