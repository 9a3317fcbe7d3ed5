/** People at the API of the desk: they ask for hostings, plan and confirm, drain, call off; they attest only what is so. */
import {
  abortOperation,
  confirmOperation,
  drainDatacenter,
  planFailover,
  releaseBrake,
} from '../../../services/broker/fallback/operations/service.ts'
import { endOwnHosting, requestHosting } from '../../../services/broker/hosting/service.ts'
import type { Transaction } from '../../../services/shared/db/database.ts'
import type { Caller } from '../../../services/shared/http/principal.ts'
import type { Kit } from '../../../services/shared/kit.ts'
import { Problem } from '../../../services/shared/problem.ts'
import { party, system } from './seed.ts'
import { type DeskWorld, profile } from './world.ts'

export interface Acknowledged {
  readonly kind: 'hosting' | 'operation'
  readonly id: string
  readonly atMs: number
}

export interface People {
  /** What the API said is done; the store may not forget it. */
  readonly acknowledged: Acknowledged[]
  host(name: string): void
  /** Begins to act now and then, until `untilMs`. */
  act(untilMs: number): void
}

const caller = (subject: string): Caller => ({
  principal: { tokenId: `tok_${subject}`, subject, partyId: party, role: 'loket' },
  requestId: `req_${subject}`,
})
const [first, second] = [caller('first'), caller('second')]

export function createPeople(world: DeskWorld): People {
  const { time, random, replicas, datacenters, rows } = world
  const acknowledged: Acknowledged[] = []
  const one = <T>(all: readonly T[]): T | undefined => all[Math.floor(random.next() * all.length)]

  /** As the API does it, at any replica: in one transaction; what is refused or not answered is nothing. */
  const call = async <T>(work: (sql: Transaction, kit: Kit) => Promise<T>): Promise<T | undefined> => {
    const kit = one(replicas.filter((each) => each.isOn()))?.kit()
    if (!kit) return undefined
    try {
      return await kit.database.transaction((sql) => work(sql, kit))
    } catch (error) {
      if (!(error instanceof Problem) && !/store|connection/i.test(String(error))) world.note(`API: ${String(error)}`)
      return undefined
    }
  }
  const keep = (kind: Acknowledged['kind'], made: { id: string } | undefined) => {
    if (made) acknowledged.push({ kind, id: made.id, atMs: time.now() })
  }

  const host = async (name: string, tries = 20): Promise<void> => {
    const known = { room: async () => undefined, ownerOf: async () => party }
    const requests = { cpu: `${500 * (1 + Math.floor(random.next() * 3))}m`, memory: '1Gi' }
    const draw = random.next()
    const activity = draw < 0.65 ? 'exclusive' : draw < 0.9 ? 'pinned' : 'shared'
    const policy = activity === 'exclusive' && random.next() < 0.8 ? 'automatic' : 'confirm'
    const input = {
      name,
      systemId: system,
      components: [{ name: 'web', replicas: 1, requests }],
      fallback: { mode: 'cold', activity, policy },
      priority: Math.floor(random.next() * 3),
    }
    const made = await call((sql, kit) => requestHosting(sql, kit, first, known, input as never))
    if (made) world.names.set(made.id, name)
    keep('hosting', made)
    if (!made && tries > 0) time.after(2_000, () => void host(name, tries - 1))
  }

  const deeds = {
    async plan() {
      const row = one([...rows.values()])
      if (!row) return
      const kind = random.next() < 0.5 ? 'move' : 'failover'
      const input = { kind, reason: 'because' } as const
      const operation = await call((sql, kit) => planFailover(sql, kit, { profile }, first, row.hosting, input))
      keep('operation', operation)
      if (operation) time.after(500 + random.next() * 20_000, () => void confirm(operation.id))
    },
    async drain() {
      const at = one(datacenters)
      if (!at) return
      const reason = 'maintenance'
      await call((sql, kit) => drainDatacenter(sql, kit, { profile }, first, at.id, { reason }))
    },
    async release() {
      const off = datacenters.filter((each) => !each.isOn()).map(({ id }) => id)
      if (off.length === 0) return
      await call((sql, kit) => releaseBrake(sql, kit, first, { datacenterIds: off, statement: 'they are off' }))
    },
    async end() {
      const row = one([...rows.values()])
      if (row && random.next() < 0.2) await call((sql, kit) => endOwnHosting(sql, kit, first, row.hosting, undefined))
    },
  }
  const confirm = async (id: string): Promise<void> => {
    const [found] =
      (await call((sql) =>
        sql.query<{ plan: { from: string; method: string } }>('select plan from operations where id = $1', [id]),
      )) ?? []
    if (!found) return
    const holder = datacenters.find((each) => each.id === found.plan.from)
    const word = async (by: Caller, kind: 'agreed' | 'attested' | 'fence') => {
      const statement = 'its power is off, as was seen on the spot'
      return call((sql, kit) => confirmOperation(sql, kit, by, id, { kind, statement } as never))
    }
    if (random.next() < 0.1) {
      await call((sql, kit) => abortOperation(sql, kit, first, id, { reason: 'no' }))
      return
    }
    if (found.plan.method !== 'proof') {
      await word(first, 'agreed')
      return
    }
    if (random.next() < 0.4) await word(first, 'fence')
    else if (holder && !holder.isOn()) {
      await word(first, 'attested')
      if (!holder.isOn()) await word(second, 'attested')
    }
  }

  return {
    acknowledged,
    host: (name) => void host(name),
    act(untilMs) {
      const turn = () => {
        if (time.now() >= untilMs) return
        const draw = random.next()
        void (draw < 0.6 ? deeds.plan() : draw < 0.7 ? deeds.drain() : draw < 0.9 ? deeds.release() : deeds.end())
        time.after(3_000 + random.next() * 30_000, turn)
      }
      time.after(20_000, turn)
    },
  }
}
