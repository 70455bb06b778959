import { GiB } from '../lib/bytes.ts'
import { DAY } from '../lib/clock.ts'
import { NO_DISK_ROOM } from '../lib/disk-room.ts'
import { Problem } from './problem.ts'

/** So long is an upload kept that no build is made of. */
export const UPLOAD_KEPT = DAY

const MOST = GiB

/** Of a source tree's tarball, uploaded or made of a push: bytes, and what is answered beyond them. */
export const sourceBounds = {
  most: MOST,
  tooLarge: () =>
    new Problem(
      'payload_too_large',
      `The source is too large: ${MOST / GiB} GiB at most, compressed.`,
    ),
  noRoom: () => new Problem('service_unavailable', NO_DISK_ROOM),
} as const
