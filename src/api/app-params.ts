import { Type } from 'typebox'

/** Of a route below `/apps/:app`: an app's name or id. */
export const AppParams = Type.Object({ app: Type.String() })
