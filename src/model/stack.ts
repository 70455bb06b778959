import { namedId } from './named-id.ts'

/** What a dyno's root file system is. Made at set-up, from `stacks/<name>/`. */
export interface Stack {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
}

export const DEFAULT_STACK = 'debian-12'

const stacks: readonly Stack[] = [
  {
    id: namedId('stack', DEFAULT_STACK),
    name: DEFAULT_STACK,
    createdAt: new Date('2026-01-01T00:00:00Z'),
  },
]

export function allStacks(): readonly Stack[] {
  return stacks
}

/** By id or by name. */
export function findStack(identity: string): Stack | undefined {
  return stacks.find((stack) => stack.id === identity || stack.name === identity)
}
