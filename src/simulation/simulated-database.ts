/**
 * A real PostgreSQL on virtual time, behind one connection, so that what happens in which
 * order is ours to draw. `now()` is the simulation's: a function of that name stands before
 * PostgreSQL's own in the search path.
 */

import { Client, type Pool } from 'pg'

import { migrate } from '../installation/migrate.ts'
import { openPool } from '../installation/database.ts'
import type { Connection } from '../store/queryable.ts'
import type { Mortal, Turns } from './turns.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A server, and the database there that each simulation's is copied from. */
export interface Server {
  readonly host: string
  readonly template: string
}

/** How the way to the database breaks: before the statement arrives, or before its answer does. */
export type DatabaseFault = 'before' | 'after'

interface DatabaseSurroundings {
  readonly time: VirtualTime
  readonly turns: Turns
  /** Asked before each statement of a manager. */
  readonly fault: () => DatabaseFault | undefined
  /** A statement has changed something for others to see. */
  readonly changed: () => void
  readonly heard: () => void
}

/** `work` is given a server with all that the migrations make, to be simulated on. */
export async function withServer<T>(
  host: string,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const template = `simulation_${process.pid}_template`
  await asAdmin(host, async (admin) => {
    await admin.query(`create database ${template}`)
    await admin.query(`alter database ${template} set search_path = public, pg_catalog`)
  })
  try {
    await fill(host, template)
    return await work({ host, template })
  } finally {
    await asAdmin(host, (admin) => drop(admin, template))
  }
}

async function fill(host: string, template: string): Promise<void> {
  const pool = openPool(settings(host, template), 1)
  for (const name of ['now', 'clock_timestamp']) {
    await pool.query(
      `create function public.${name}() returns timestamptz stable language sql as $$
         select coalesce(nullif(current_setting('simulation.now', true), '')::timestamptz,
                         pg_catalog.${name}()) $$`,
    )
  }
  await migrate(pool)
  // It would come when it comes, and with it other plans, which give rows in another order.
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public'`,
  )
  for (const { name } of rows) {
    await pool.query(`alter table ${name} set (autovacuum_enabled = false)`)
  }
  await pool.end()
}

/** `work` gets a database of its own, gone afterwards. */
export async function withDatabase<T>(
  { host, template }: Server,
  work: (open: () => Promise<Client>) => Promise<T>,
): Promise<T> {
  const name = `simulation_${process.pid}`
  await asAdmin(host, async (admin) => {
    await admin.query(`create database ${name} template ${template}`)
    await admin.query(`alter database ${name} set search_path = public, pg_catalog`)
  })
  const clients: Client[] = []
  try {
    return await work(async () => {
      const client = new Client(settings(host, name))
      client.on('error', () => {})
      await client.connect()
      clients.push(client)
      return client
    })
  } finally {
    for (const client of clients) await client.end()
    await asAdmin(host, (admin) => drop(admin, name))
  }
}

async function drop(admin: Client, name: string): Promise<void> {
  await admin.query(`drop database if exists ${name} with (force)`)
}

export class SimulatedDatabase {
  readonly #client: Client
  readonly #around: DatabaseSurroundings
  #holder: Mortal | undefined
  #set = 0
  /** Something of interest was written that is not committed yet. */
  #writes = false

  constructor(client: Client, around: DatabaseSurroundings) {
    this.#client = client
    this.#around = around
    client.on('notification', () => around.heard())
  }

  /** What a process takes for a pool. `breaks`: whether faults are injected. */
  poolOf(mortal: Mortal, { breaks }: { readonly breaks: boolean }): Pool {
    const take = <T>(work: () => Promise<T>, ready: () => boolean) =>
      this.#around.turns.take(mortal, work, ready)
    const isFree = () => this.#holder === undefined
    const pool = {
      query: (text: string, values?: unknown[]) =>
        take(() => this.#faulty(text, values, breaks), isFree),
      connect: () =>
        take(async () => {
          this.#holder = mortal
          return this.#connection(mortal, breaks)
        }, isFree),
    }
    // The product uses no more of a pool than this.
    return pool as unknown as Pool
  }

  /** The server's side of a process that was killed. */
  async abandoned(mortal: Mortal): Promise<void> {
    if (this.#holder !== mortal) return
    await this.#client.query('rollback')
    this.#holder = undefined
  }

  #connection(mortal: Mortal, breaks: boolean): Connection {
    let broken = false
    return {
      query: (text, values) =>
        this.#around.turns.take(mortal, async () => {
          if (broken) throw cut()
          try {
            return await this.#faulty(text, values, breaks)
          } catch (error) {
            broken = error instanceof Cut
            if (broken) await this.#client.query('rollback')
            throw error
          }
        }),
      release: () => {
        this.#holder = undefined
      },
    }
  }

  async #faulty(
    text: string,
    values: readonly unknown[] | undefined,
    breaks: boolean,
  ): Promise<{ rows: unknown[] }> {
    const fault = breaks ? this.#around.fault() : undefined
    if (fault === 'before') throw cut()
    const result = await this.#execute(text, values)
    if (fault === 'after') throw cut()
    return result
  }

  async #execute(
    text: string,
    values: readonly unknown[] | undefined,
  ): Promise<{ rows: unknown[] }> {
    const { time, changed } = this.#around
    if (this.#set !== time.now) {
      this.#set = time.now
      const at = new Date(time.now).toISOString()
      await this.#client.query(`set simulation.now = '${at}'`)
    }
    const result = await this.#client.query(text, values as unknown[])
    if (WANTED.test(text)) this.#writes = true
    const isOver = this.#holder === undefined || text === 'commit'
    if (isOver && this.#writes) {
      this.#writes = false
      changed()
    }
    return result
  }
}

/** Statements that change what invariants speak of, rather than who looks when. */
const WANTED = /\b(update|insert into|delete from) (dynos|formations|apps|releases)\b/

class Cut extends Error {}

function cut(): Cut {
  return new Cut('Connection terminated unexpectedly')
}

async function asAdmin(
  host: string,
  work: (admin: Client) => Promise<void>,
): Promise<void> {
  const admin = new Client(settings(host, 'postgres'))
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.end()
  }
}

function settings(host: string, database: string) {
  return { host, user: 'postgres', database }
}
