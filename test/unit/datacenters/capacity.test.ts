/** Capacity figures: unknown is not zero, a shared reserve is the worst single loss, and nothing free is below zero. */
import fc from 'fast-check'
import t from 'tap'
import {
  type ClaimFigures,
  capacityFigures,
  type NodeInventory,
  sharedReserve,
} from '../../../services/broker/datacenters/core/capacity.ts'
import { sumOf } from '../../../services/shared/amounts.ts'

const node = (cpu: number, own = 0, schedulable = true): NodeInventory => ({
  name: 'n',
  schedulable,
  allocatable: { cpu },
  ownUse: { cpu: own },
  free: { cpu: cpu - own },
})
const primary = (cpu: number): ClaimFigures => ({ kind: 'primary', domains: ['site/a'], amounts: { cpu } })
const standby = (cpu: number, ...domains: string[]): ClaimFigures => ({ kind: 'standby', domains, amounts: { cpu } })
const figure = (resource: string, ...of: Parameters<typeof capacityFigures>) =>
  capacityFigures(...of).find((f) => f.resource === resource)

t.test('a cluster that was never seen: what depends on it is unknown, what was offered is not', async (t) => {
  t.same(capacityFigures(undefined, [{ cpu: 8 }], [primary(2)]), [
    {
      resource: 'cpu',
      allocatable: undefined,
      ownUse: undefined,
      offered: 8,
      hosted: 2,
      fallbackReserved: 0,
      free: undefined,
    },
  ])
  t.equal(figure('cpu', [], [{ cpu: 8 }], [])?.free, 0, 'a cluster without nodes was seen, and has nothing')
})

t.test('free is bounded by the offers and by the nodes that take pods, less what is taken', async (t) => {
  const nodes = [node(10, 2), node(10, 0, false)]
  t.match(figure('cpu', nodes, [{ cpu: 100 }], []), { allocatable: 20, ownUse: 2, offered: 100, free: 8 }, 'nodes')
  t.match(figure('cpu', nodes, [{ cpu: 3 }, { cpu: 2 }], []), { offered: 5, free: 5 }, 'offers add up')
  t.match(figure('cpu', nodes, [{ cpu: 5 }], [primary(2), standby(1, 'site/b')]), {
    hosted: 2,
    fallbackReserved: 1,
    free: 2,
  })
  t.equal(figure('cpu', nodes, [{ cpu: 1 }], [primary(2)])?.free, 0, 'never below zero')
  t.equal(figure('cpu', nodes, [], [])?.free, 0, 'what is not offered is not free')
  t.equal(figure('gpu', nodes, [{ gpu: 1 }], [])?.free, 0, 'offered, and on no node')
})

t.test('pooled storage is bounded by its offer alone', async (t) => {
  const taken: ClaimFigures = { kind: 'primary', domains: [], amounts: { 'storage/snel': 3 } }
  const expected = { allocatable: undefined, ownUse: undefined, offered: 10, hosted: 3, free: 7 }
  t.match(figure('storage/snel', undefined, [{ 'storage/snel': 10 }], [taken]), expected)
  t.match(figure('storage/snel', [node(1)], [{ 'storage/snel': 10 }], [taken]), expected)
})

t.test('the reserve is what lands here when the worst single domain is lost', async (t) => {
  const claims = [
    standby(4, 'site/a', 'grid/west'),
    standby(3, 'site/b', 'grid/west'),
    standby(5, 'site/c'),
    primary(100),
  ]
  t.same(sharedReserve(claims), { cpu: 7 }, 'the grid takes two sites')
  t.same(sharedReserve([]), {})
  t.same(sharedReserve([standby(1)]), {}, 'a primary in no domain cannot be lost')
  const two = [
    { kind: 'standby', domains: ['x'], amounts: { cpu: 1, memory: 9 } },
    { kind: 'standby', domains: ['y'], amounts: { cpu: 5, memory: 2 } },
  ] as const
  t.same(sharedReserve(two), { cpu: 5, memory: 9 }, 'per resource')
})

t.test('every single loss fits into the reserve, and one of them fills it', async () => {
  const domain = fc.constantFrom('a', 'b', 'c', 'd')
  const claim = fc
    .record({ domains: fc.uniqueArray(domain), cpu: fc.nat(1000) })
    .map(({ domains, cpu }) => standby(cpu, ...domains))
  fc.assert(
    fc.property(fc.array(claim), (claims) => {
      const reserve = sharedReserve(claims)['cpu'] ?? 0
      const losses = ['a', 'b', 'c', 'd'].map(
        (lost) => sumOf(claims.filter((c) => c.domains.includes(lost)).map((c) => c.amounts))['cpu'] ?? 0,
      )
      return losses.every((loss) => loss <= reserve) && losses.includes(reserve)
    }),
  )
})

t.test('a resource may be called as something that every object has', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const of = (amount: number) => Object.fromEntries([[name, amount]])
    const claims: ClaimFigures[] = [
      { kind: 'primary', domains: [], amounts: of(2) },
      { kind: 'standby', domains: ['site/a'], amounts: of(1) },
    ]
    const rich = { ...node(1), allocatable: { cpu: 1, ...of(9) }, free: { cpu: 1, ...of(8) } }
    t.match(figure(name, [node(1), rich], [of(7)], claims), {
      allocatable: 9,
      ownUse: 0,
      offered: 7,
      hosted: 2,
      fallbackReserved: 1,
      free: 4,
    })
    t.match(figure(name, [node(1)], [of(7)], []), { allocatable: 0, free: 0 }, 'offered and on no node')
  }
})
