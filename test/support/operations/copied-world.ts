/** An API with one of each thing, for every test of a file: made once, and begun by each on a copy of its own. */
import type { Test } from 'tap'
import { openDatabase } from '../../../services/shared/db/database.ts'
import { type LeftApi, type TestApi, testApi } from '../api.ts'
import { testDatabase } from '../database.ts'
import { makeWorld, type World } from './world.ts'

type Teardown = Pick<Test, 'teardown'>

/** `file` is the outermost test, with which the original goes. What a test does to its world no other sees. */
export function copiedWorlds(file: Teardown): (t: Test) => Promise<{ api: TestApi; world: World }> {
  let original: ReturnType<typeof makeOriginal> | undefined
  return async (t) => {
    original ??= makeOriginal(file)
    const { left, world } = await original
    return { api: await testApi(t, { realConnections: true, from: left }), world }
  }
}

/** Its API has stopped and nobody is connected to its store, so that it can be copied. */
async function makeOriginal(file: Teardown): Promise<{ left: LeftApi; world: World }> {
  const store = await testDatabase(file)
  // Its own pool never connects: a closed one cannot be closed again when the file ends.
  const database = Object.assign(openDatabase({ url: store.url }), { url: store.url, name: store.name })
  const ends: (() => unknown)[] = [() => database.close()]
  const teardown = (end: () => unknown) => void ends.unshift(end)
  const api = await testApi({ teardown } as unknown as Test, { realConnections: true, database })
  const world = await makeWorld(api)
  for (const end of ends) await end()
  const roles = ['loket', 'provider', 'consumer', 'auditor'] as const
  const tokens = Object.fromEntries(roles.map((role) => [role, api.tokenOf(role)])) as LeftApi['tokens']
  return { left: { database: store, encryptionKey: api.encryptionKey, tokens, parties: api.parties }, world }
}
