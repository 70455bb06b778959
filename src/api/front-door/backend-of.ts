/** Which part answers a path; undefined: the API itself. */
export function backendOf(url: string): 'git' | 'logs' | undefined {
  const path = url.split('?', 1)[0] ?? ''
  if (/^\/[a-z0-9-]+\.git(\/|$)/.test(path)) return 'git'
  if (/^\/sessions\/./.test(path)) return 'logs'
  return undefined
}
