/**
 * What the driver keeps of its dynos, all of it under one directory per region:
 *
 *   exits/<id>             the exit status, written by conmon
 *   crun/, runc/, …        the state of the OCI runtimes that made containers
 *   resolv.conf            bound into every dyno
 *   resolver/              dnsmasq.conf and name-servers, for the region's resolver (`resolvers.ts`)
 *   demolished             written when `mayfly down` ended all that ran (`demolish.ts`)
 *   disk-template          what dynos' disks are made from (`disk.ts`)
 *   <id>/dyno.json         how the dyno was asked for (`DynoRecord`); written first
 *   <id>/config.json       the OCI configuration
 *   <id>/hosts, metadata.json  its /etc/hosts and, where it is to have one, /etc/heroku/dyno
 *   <id>/pid, conmon.pid   PID 1 of the dyno, seen from the host; its monitor
 *   <id>/letting-go        written before an OCI runtime is told to let it go, where that is a command of its own
 *   <id>/started           written once the process was let go (`StartMark`)
 *   <id>/listening         written once its port was found bound
 *   <id>/terminated        written once SIGTERM was sent
 *   <id>/persist/oom       written by conmon when the kernel killed for memory
 *   <id>/log               what it printed, in the CRI format
 *   <id>/log.tmp           what conmon goes on in when the log is full (`log-files.ts`)
 *   <id>/attach, ctl       conmon's: its process's streams, the size of its terminal
 *   <id>/stream.sock       where an attached dyno's client comes (`attach-bridge.pl`)
 *   <id>/<entry id>/       the same of a process started inside it (`enter-dyno.ts`)
 *   <id>/image             its disk, where it has one; mounted at <id>/disk for itself only
 *   <id>/disk/upper, work  its layer over /app
 *   <id>/app               where /app is mounted before its container is made, for itself only
 *   <id>/krun/config.json, krun/command, krun-size.json, signals  of a dyno that is a virtual machine (`machine.ts`)
 *   <id>/mapped-<n>        where what others own is the dyno's user's, for itself only (`oci-runtime.ts`)
 *   <id>/volume-<n>        where a volume with a limit is mounted, for itself only (`volume-disk.ts`)
 */

import { join } from 'node:path'

import type { DynoId, EntryId } from '../../model/ids.ts'
import type { OciRuntimeName } from '../../model/oci-runtimes.ts'

export interface DynoFiles {
  readonly directory: string
  readonly record: string
  readonly config: string
  readonly pid: string
  readonly monitorPid: string
  readonly lettingGo: string
  readonly started: string
  readonly listening: string
  readonly terminated: string
  readonly persist: string
  readonly log: string
  readonly spareLog: string
  readonly stream: string
  readonly hosts: string
  readonly metadata: string
  readonly image: string
  readonly disk: string
  readonly app: string
  readonly upper: string
  readonly work: string
  readonly machineConfig: string
  readonly machineCommand: string
  readonly machineSize: string
  readonly signals: string
  /** Where the nth volume is mounted, if it has a limit. */
  volume(n: number): string
  readonly exit: string
  /** Where the nth of what others own is mounted as the dyno's user's. */
  mapped(n: number): string
}

/** What `remove` and `status` must know of a dyno that they were not told. */
export interface DynoRecord {
  readonly address: string
  readonly port: number | undefined
  /** Which made its container; left out: crun. */
  readonly ociRuntime?: OciRuntimeName
  /** In which boot of the machine it was laid out; left out by an older Mayfly. */
  readonly boot?: string
}

/** Which process a dyno's is: a pid alone may be another's after a while. */
export interface StartMark {
  readonly pid: number
  /** Clock ticks since boot, of /proc/<pid>/stat. */
  readonly ticks: number
  readonly boot: string
}

/** Of a process started inside a dyno; under the dyno's directory, and gone with it. */
export interface EntryFiles {
  readonly directory: string
  readonly process: string
  readonly pid: string
  readonly monitorPid: string
  readonly exits: string
  readonly control: string
  readonly stream: string
}

export interface RegionFiles {
  readonly directory: string
  readonly exits: string
  /** Of an OCI runtime, its state. */
  stateOf(runtime: OciRuntimeName): string
  readonly resolvConf: string
  readonly resolver: {
    readonly directory: string
    readonly config: string
    readonly nameServers: string
  }
  readonly diskTemplate: string
  of(id: DynoId): DynoFiles
  entry(dyno: DynoId, id: EntryId): EntryFiles
}

export function regionFiles(directory: string): RegionFiles {
  const exits = join(directory, 'exits')
  return {
    directory,
    exits,
    stateOf: (runtime) => join(directory, runtime),
    resolvConf: join(directory, 'resolv.conf'),
    resolver: {
      directory: join(directory, 'resolver'),
      config: join(directory, 'resolver', 'dnsmasq.conf'),
      nameServers: join(directory, 'resolver', 'name-servers'),
    },
    diskTemplate: join(directory, 'disk-template'),
    of(id) {
      const at = (name: string) => join(directory, id, name)
      return {
        directory: join(directory, id),
        record: at('dyno.json'),
        config: at('config.json'),
        pid: at('pid'),
        monitorPid: at('conmon.pid'),
        lettingGo: at('letting-go'),
        started: at('started'),
        listening: at('listening'),
        terminated: at('terminated'),
        persist: at('persist'),
        log: at('log'),
        stream: at('stream.sock'),
        spareLog: at('log.tmp'),
        hosts: at('hosts'),
        metadata: at('metadata.json'),
        image: at('image'),
        disk: at('disk'),
        app: at('app'),
        upper: at('disk/upper'),
        work: at('disk/work'),
        machineConfig: at('krun/config.json'),
        machineCommand: at('krun/command'),
        machineSize: at('krun-size.json'),
        signals: at('signals'),
        volume: (n) => at(`volume-${n}`),
        exit: join(exits, id),
        mapped: (n) => at(`mapped-${n}`),
      }
    },
    entry(dyno, id) {
      const at = (name: string) => join(directory, dyno, id, name)
      return {
        directory: join(directory, dyno, id),
        process: at('process.json'),
        pid: at('pid'),
        monitorPid: at('conmon.pid'),
        exits: at('exits'),
        control: at('ctl'),
        stream: at('stream.sock'),
      }
    },
  }
}
