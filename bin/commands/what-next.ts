import {
  DEFAULT_DATA,
  type DataDirectory,
  type Installation,
} from '../../src/installation/data-directory.ts'

/** What a newcomer does once everything is up. */
export function whatNext(
  data: DataDirectory,
  { apiPort, domain, regions }: Installation,
): string {
  const option = data.root === DEFAULT_DATA ? '' : ` --data ${data.root}`
  const places = regions.map((it) => `${it.name} on port ${it.httpPort}`).join(', ')
  return `
Mayfly is up: the API on http://localhost:${apiPort}, apps of region ${places}.

  eval "$(./mayfly env${option})"       points heroku and git here, in this shell
  npx heroku create my-app          in the directory of your app
  git push heroku main
  curl http://my-app.${domain}:${regions[0]?.httpPort}/
`
}
