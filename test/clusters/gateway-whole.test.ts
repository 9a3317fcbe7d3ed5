/** Nodes and storage classes of two real clusters at the gateway, as kubectl shows those of one. */
import t, { type Test } from 'tap'
import { type GatewayStage, setGatewayStage, type Tenant } from './gateway-stage.ts'
import { createStorageClass } from './manifests.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 60_000

type Chapter = (t: Test, story: GatewayStage & { readonly one: Tenant }) => Promise<void>

const hiddenNodes: Chapter = async (t, { one, kit }) => {
  const show = (visible: boolean) =>
    kit.database.query(`update datacenters set spec = spec || $1 where slug = 'breda'`, [{ nodesVisible: visible }])
  const names = () => one.kubectl('get', 'nodes', '-o', 'name')
  await show(false)
  await until('its nodes to be hidden', patience, async () => !/breda/.test(await names()) || undefined)
  t.equal(await names(), 'node/amersfoort-a.amersfoort\n')
  await t.rejects(one.kubectl('get', 'node', 'breda-a.breda'), /NotFound/)
  await show(true)
  await until('its nodes to be seen', patience, async () => /breda-a\.breda/.test(await names()) || undefined)
}

const storageClasses: Chapter = async (t, { one, at }) => {
  const fast = createStorageClass({ name: 'snel' })
  await at('amersfoort').apply(fast)
  await at('breda').apply(fast, createStorageClass({ name: 'gedeeld' }))
  t.match(await one.kubectl('get', 'sc', '--no-headers'), /^snel .* amersfoort,breda\ngedeeld .* breda\n$/)
  t.match(await one.kubectl('get', 'sc', 'snel', '--no-headers'), /^snel .* amersfoort,breda\n$/)
  const watching = one.begin('get', 'sc', '--watch', '--output-watch-events', '--no-headers')
  t.teardown(watching.end)
  await until('the watch to begin', patience, () => /ADDED +snel .*amersfoort,breda/.test(watching.said()) || undefined)
  await at('amersfoort').kubectl('delete', 'storageclass', 'snel')
  await until('it to be left in one', patience, () => /MODIFIED +snel .* breda\n/.test(watching.said()) || undefined)
  await at('breda').kubectl('delete', 'storageclass', 'snel')
  await until('it to be gone', patience, () => /DELETED +snel/.test(watching.said()) || undefined)
  await t.rejects(one.kubectl('get', 'sc', 'snel'), /NotFound/)
  t.notMatch(watching.said(), /DELETED +gedeeld/)
}

t.test('nodes and storage classes at the gateway', { skip }, async (t) => {
  const stage = await setGatewayStage(t, 'push')
  await stage.host(stage.consumer, 'open-zaak', 'amersfoort')
  await stage.host(stage.consumer, 'kiss', 'breda')
  const one = await stage.tenant(stage.consumer)
  await t.test('nodes that their owner hides', (t) => hiddenNodes(t, { ...stage, one }))
  await t.test('a storage class of several datacenters is one', (t) => storageClasses(t, { ...stage, one }))
})
