/** What the genuine CLI has in its environment whatever it is to do; where the API is comes with it. */

import { delimiter, dirname } from 'node:path'

export const envOfCli = {
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  HEROKU_SKIP_NEW_VERSION_CHECK: 'true',
  HEROKU_DISABLE_AUTOUPDATE: '1',
  DISABLE_TELEMETRY: 'true',
} as const
