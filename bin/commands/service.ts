/** `./mayfly service:install` and `service:remove`: whether the machine's boot brings the installation up. */

import {
  bootService,
  enableAtBoot,
  removeService,
  serviceBegins,
  startService,
} from '../../src/installation/boot-service.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { endSupervisor, supervisorOf } from '../../src/installation/supervisor-lock.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'
import { databaseMustBeIts, program } from './settings.ts'
import { withDatabase } from './with-database.ts'

/** An `up` that runs by hand makes way for it; dynos and routers go on meanwhile. */
export async function serviceInstall(args: string[]): Promise<void> {
  const data = dataNamed(parsed({ args, options: dataOption }).values.data)
  const installation = openInstallation(data)
  // Or `up` would refuse at each boot, and from now on.
  databaseMustBeIts(installation)
  if (installation.databaseId !== undefined) await withDatabase(data.root, async () => {})
  const service = await enableAtBoot(data, installation, {
    program,
    present: process.env,
  })
  await endSupervisor(data)
  await startService(service)
  await serviceBegins(service, () => supervisorOf(data) !== undefined)
  console.log(
    `${service.name} watches over ${data.root} now, and after each boot: journalctl -u ${service.name}`,
  )
}

export async function serviceRemove(args: string[]): Promise<void> {
  const data = dataNamed(parsed({ args, options: dataOption }).values.data)
  const service = bootService(data, openInstallation(data))
  if (!(await removeService(service))) {
    console.log(`There is no ${service.name}.`)
    return
  }
  console.log(`${service.name} is gone; dynos and routers run on until ./mayfly down.`)
}
