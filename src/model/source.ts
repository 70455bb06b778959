import { NO_DISK_ROOM } from '../lib/disk-room.ts'
import { Problem } from './problem.ts'

/** Of a source tree's tarball, uploaded or made of a push: bytes, and what is answered beyond them. */
export const sourceBounds = {
  most: 1024 ** 3,
  tooLarge: () =>
    new Problem(
      'payload_too_large',
      'The source is too large: 1 GiB at most, compressed.',
    ),
  noRoom: () => new Problem('service_unavailable', NO_DISK_ROOM),
} as const
