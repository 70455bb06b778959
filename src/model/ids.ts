import { randomUUID } from 'node:crypto'

declare const kind: unique symbol

/** A UUID that remembers what it identifies, so an app's id can't pass for a dyno's. */
export type Id<Kind extends string> = string & { readonly [kind]: Kind }

export type AccountId = Id<'account'>
export type AppId = Id<'app'>
export type BuildId = Id<'build'>
export type DomainId = Id<'domain'>
export type DynoId = Id<'dyno'>
export type EntryId = Id<'entry'>
export type FormationId = Id<'formation'>
export type RegionId = Id<'region'>
export type ReleaseId = Id<'release'>
export type SlugId = Id<'slug'>
export type SniEndpointId = Id<'sni endpoint'>
export type SourceId = Id<'source'>
/** A team is an account, too: the one that owns its apps. */
export type TeamId = AccountId

export function newId<Kind extends string>(): Id<Kind> {
  return randomUUID() as string as Id<Kind>
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether an identity in a path or a body is an id rather than a name. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}
