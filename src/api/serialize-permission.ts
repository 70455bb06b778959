import type { Permission } from '../model/access.ts'

const meaning: Readonly<Record<Permission, string>> = {
  view: 'Can see the app, its dynos, releases and logs',
  deploy: 'Can deploy the app, and see and change its config vars',
  operate: 'Can scale, restart, run and change everything else about the app',
  manage: 'Can let others in, transfer and destroy the app',
}

export function serializePermission(name: Permission) {
  return { name, description: meaning[name] }
}
