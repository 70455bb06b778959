import { type Dyno, placeOf } from '../model/dyno.ts'
import type { Environment } from '../model/dyno-environment.ts'
import type { AccountId, SlugId } from '../model/ids.ts'
import { type Size, sizeNamed } from '../model/size.ts'
import type { Attachment, DynoSpec } from '../runtime/runtime.ts'

/** What a dyno boots with, beside what its row says. */
export interface BootNeeds {
  readonly environment: Environment
  /** Of /etc/heroku/dyno; undefined: its app does not want it. */
  readonly metadata?: string | undefined
  readonly stack: string
  readonly slug: SlugId
  readonly slugChecksum: string | null
  readonly tenant: AccountId
  readonly attachment?: Attachment | undefined
  /** As the installation has them; undefined: as Heroku has. */
  readonly sizes?: readonly Size[] | undefined
}

/** As `place` tells its address. */
export type PlacedDyno = Dyno & { readonly address: string }

/** What the runtime must know of a dyno. */
export function dynoSpec(dyno: PlacedDyno, its: BootNeeds): DynoSpec {
  const size = sizeNamed(dyno.size, its.sizes)
  if (!size) throw new Error(`dyno ${dyno.id} is of an unknown size, ${dyno.size}`)
  return {
    id: dyno.id,
    name: placeOf(dyno),
    address: dyno.address,
    size,
    environment: its.environment,
    command: dyno.command,
    stack: its.stack,
    slug: its.slug,
    ...(its.slugChecksum !== null && { slugChecksum: its.slugChecksum }),
    tenant: its.tenant,
    volumes: [],
    ...(its.attachment && { attachment: its.attachment }),
    ...(its.metadata !== undefined && { metadata: its.metadata }),
  }
}
