import type { FastifySchemaValidationError } from 'fastify'

type Fault = FastifySchemaValidationError

/**
 * What is wrong with a request, as one clause: `level must be notify or sync`. Of a value that
 * may be one thing or another every alternative complains; who got furthest knows best.
 */
export function describeFault(faults: readonly Fault[]): string {
  const own = faults.filter(({ keyword }) => keyword !== 'anyOf')
  // It is of the right kind, whatever else it might have been.
  const long = own.find(({ keyword }) => keyword in lengths)
  if (long) return tooLong(long)
  const depth = Math.max(...own.map((it) => pathOf(it).length))
  const deepest = own.filter((it) => pathOf(it).length === depth)
  const [fault] = deepest.filter(({ keyword }) => keyword !== 'required')
  if (!fault) return `${either(deepest.map(nameOf))} is required`
  const wanted = deepest.filter((it) => nameOf(it) === nameOf(fault)).flatMap(wantedBy)
  if (wanted.length === 0) return `${nameOf(fault)} ${fault.message}`
  return `${nameOf(fault)} must be ${either(wanted)}`
}

const lengths: Readonly<Record<string, string>> = {
  maxLength: 'characters',
  maxItems: 'items',
}

function tooLong(fault: Fault): string {
  const most = Number(fault.params['limit']).toLocaleString('en')
  return `${nameOf(fault)} has more than ${most} ${lengths[fault.keyword]}`
}

/** What it could have been instead; empty where that is not a matter of alternatives. */
function wantedBy({ keyword, params }: Fault): string[] {
  switch (keyword) {
    case 'const':
      return [String(params['allowedValue'])]
    case 'enum':
      return (params['allowedValues'] as unknown[]).map(String)
    case 'type':
      return [inWords[String(params['type'])] ?? String(params['type'])]
    default:
      return []
  }
}

const inWords: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** A property that is missing is one step further than the object that lacks it. */
function pathOf({ instancePath, keyword, params }: Fault): string[] {
  const steps = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return keyword === 'required' ? [...steps, String(params['missingProperty'])] : steps
}

function nameOf(fault: Fault): string {
  return pathOf(fault).join('.') || 'the body'
}

function either(words: readonly string[]): string {
  const different = [...new Set(words)]
  const last = different.pop() ?? ''
  return different.length === 0 ? last : `${different.join(', ')} or ${last}`
}
