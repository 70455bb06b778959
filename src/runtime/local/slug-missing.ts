import { RuntimeError } from '../runtime.ts'

/**
 * For a `catch`: where there is nothing, the slug is missing. All else (no file may be opened,
 * the disk does not answer) says nothing of the slug, and is thrown as it is.
 */
export function slugMissing(slug: string): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new RuntimeError('slug_missing', `The slug ${slug} is not there.`, error)
  }
}
