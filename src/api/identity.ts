import { type Static, Type } from 'typebox'

/**
 * Of a member that says what another one may say, too: by which of them it is read is told by whether that is there, so
 * it may not be there and be none of what that takes.
 */
export const ABSENT = Type.Optional(Type.Never())

/** How a body refers to something: by id or name, alone or in an object. */
export const Identity = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Object({ id: Type.String({ minLength: 1 }) }),
  Type.Object({ name: Type.String({ minLength: 1 }), id: ABSENT }),
])

export function identityIn(reference: Static<typeof Identity>): string {
  if (typeof reference === 'string') return reference
  return 'id' in reference ? reference.id : reference.name
}
