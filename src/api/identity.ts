import { type Static, Type } from 'typebox'

/** How a body refers to something: by id or name, alone or in an object. */
export const Identity = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Object({ id: Type.String({ minLength: 1 }) }),
  Type.Object({ name: Type.String({ minLength: 1 }) }),
])

export function identityIn(reference: Static<typeof Identity>): string {
  if (typeof reference === 'string') return reference
  return 'id' in reference ? reference.id : reference.name
}
