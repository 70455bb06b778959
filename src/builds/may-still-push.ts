import type { AppId } from '../model/ids.ts'
import { scopeAllows } from '../model/scope.ts'
import { accountOfAuthorization, type AuthorizationId } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'
import { standingOn } from '../store/standings.ts'

/** A push has its buildpacks run, and what it brings, with the config vars. */
export const PUSHES = { area: 'apps', write: true, isProtected: true } as const

/**
 * Whether who began a push may push now that all of it is there: that may take hours, and
 * meanwhile a token is revoked, or somebody shut out.
 */
export async function mayStillPush(
  db: Queryable,
  authorization: AuthorizationId,
  app: AppId,
): Promise<boolean> {
  const bearer = await accountOfAuthorization(db, authorization)
  if (!bearer || !scopeAllows(bearer.scope, PUSHES)) return false
  const standing = await standingOn(db, bearer.id, app)
  return standing?.permissions.includes('deploy') ?? false
}
