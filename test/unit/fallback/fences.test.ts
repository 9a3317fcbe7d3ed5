/** What counts as the word of an external fence, and what the words of people come to beside it. */
import t from 'tap'
import { verdictOf } from '../../../services/broker/fallback/core/plan.ts'
import { readAnswer } from '../../../services/broker/fallback/fences/core/answer.ts'

t.test('only what is said in so many words is proof', async (t) => {
  const read = (status: number, body: unknown) => readAnswer(status, JSON.stringify(body))
  t.same(read(200, { state: 'fenced', proof: 'pdu 7\n\u0007is off' }), { state: 'fenced', proof: 'pdu 7 is off' })
  t.same(read(202, { state: 'pending' }), { state: 'pending' })
  t.same(read(200, { state: 'failed', reason: 'no power switch' }), { state: 'failed', reason: 'no power switch' })
  t.same(read(200, { state: 'failed' }), { state: 'failed', reason: 'it did not say why' })
  t.equal((read(200, { state: 'fenced', proof: 'x'.repeat(9_000) }) as { proof: string }).proof.length, 500)
  const cut = read(200, { state: 'fenced', proof: `${'x'.repeat(499)}\u{1f50c}` }) as { proof: string }
  t.ok(cut.proof.isWellFormed(), 'half a character cannot be stored')
  for (const [status, body] of [
    [202, { state: 'fenced', proof: 'soon' }],
    [200, { state: 'fenced' }],
    [200, { state: 'fenced', proof: ' ' }],
    [200, { state: 'fenced', proof: true }],
    [200, { state: 'Fenced', proof: 'off' }],
    [200, {}],
    [200, null],
    [200, []],
    [204, { state: 'fenced', proof: 'off' }],
    [302, { state: 'fenced', proof: 'off' }],
    [500, { state: 'fenced', proof: 'off' }],
  ] as const)
    t.throws(() => read(status, body), `${status} ${JSON.stringify(body)}`)
  t.throws(() => readAnswer(200, '<html>'), /no JSON/)
})

t.test(
  'one who asks for the fence is enough, two where two are asked, and people may know it by themselves',
  async (t) => {
    const plan = { method: 'proof', confirmationsNeeded: 2 } as const
    const word = (by: string, kind: 'fence' | 'fenced' | 'attested') => ({ by, kind })
    t.equal(verdictOf(plan, [word('a', 'fence')], false), 'fence')
    t.equal(verdictOf(plan, [word('a', 'fence')], true), 'too-few')
    t.equal(verdictOf(plan, [word('a', 'fence'), word('b', 'fence')], true), 'fence')
    t.equal(verdictOf(plan, [word('a', 'attested'), word('b', 'fence')], true), 'fence')
    t.equal(verdictOf(plan, [word('a', 'fence'), word('b', 'attested')], false), 'fence')
    t.equal(verdictOf(plan, [word('a', 'fence'), word('b', 'attested'), word('c', 'attested')], false), 'enough')
    t.equal(verdictOf(plan, [word('a', 'attested')], false), 'too-few')
    t.equal(verdictOf(plan, [word('a', 'fenced')], false), 'enough')
    t.equal(verdictOf(plan, [word('a', 'fenced')], true), 'too-few')
    t.equal(verdictOf({ method: 'stop', confirmationsNeeded: 1 }, [{ by: 'a', kind: 'agreed' }], false), 'enough')
  },
)
