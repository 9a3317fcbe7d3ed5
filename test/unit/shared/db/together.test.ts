/** Reads of one moment are one read, and none gets the answer of another moment. */
import t from 'tap'
import { together } from '../../../../services/shared/db/together.ts'

t.test('who asks at one moment is answered by one read; who asks later by another', async (t) => {
  const reads: string[][] = []
  const get = together(async (ids) => {
    reads.push([...ids])
    return new Map(ids.filter((id) => id !== 'none').map((id) => [id, `${id}${reads.length}`]))
  })
  const { promise: woken, resolve: wake } = Promise.withResolvers<void>()
  const first = ['a', 'b', 'a', 'none'].map((id) => woken.then(() => get(id)))
  wake()
  t.same(await Promise.all(first), ['a1', 'b1', 'a1', undefined])
  const second = get('a')
  await Promise.resolve()
  await Promise.resolve()
  const third = get('a')
  t.same([await second, await third], ['a2', 'a3'], 'a read that has begun takes nobody on')
  t.same(reads, [['a', 'b', 'none'], ['a'], ['a']])
})

t.test('a failure is everybody’s of that moment and of no other', async (t) => {
  let fail = true
  const get = together(async (ids) => {
    if (fail) throw new Error('away')
    return new Map(ids.map((id) => [id, id]))
  })
  await Promise.all([t.rejects(get('a'), /away/), t.rejects(get('b'), /away/)])
  fail = false
  t.equal(await get('a'), 'a')
})
