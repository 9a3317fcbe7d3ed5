/** A kubeconfig with several contexts: one is sent, it is said which, and nothing of the others leaves the machine. */
import t from 'tap'
import { parse, stringify } from 'yaml'
import { chooseContext } from '../../../services/cli/kubeconfig.ts'
import { fakeIo } from './fake-io.ts'

const named = (names: readonly string[], part: string, body: (name: string) => object) =>
  names.map((name) => ({ name: `${name}-${part}`, [part]: body(name) }))

function config(names: readonly string[], current?: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: named(names, 'cluster', (name) => ({
      server: `https://${name}.example`,
      'certificate-authority-data': 'Y2E=',
    })),
    users: named(names, 'user', (name) => ({ token: `token-of-${name}` })),
    contexts: named(names, 'context', (name) => ({ cluster: `${name}-cluster`, user: `${name}-user` })),
    ...(current && { 'current-context': current }),
  })
}

const choose = (text: string, context?: string) => chooseContext(fakeIo({ stdin: text }).io, '-', context)

t.test('the current one is taken and named, or the one that is asked for', async (t) => {
  const text = config(['one', 'two', 'three'], 'two-context')
  const current = await choose(text)
  t.same(parse(current.kubeconfig), parse(config(['two'], 'two-context')))
  t.equal(
    current.remark,
    'Of the contexts in standard input (one-context, two-context, three-context), two-context is used: ' +
      'https://two.example, as its current-context says; --context chooses another.',
  )
  const asked = await choose(text, 'three-context')
  t.same(parse(asked.kubeconfig), parse(config(['three'], 'three-context')))
  t.match(asked.remark, /three-context is used: https:\/\/three\.example\.$/)
  t.notMatch(asked.kubeconfig, /token-of-(one|two)/)
})

t.test('where there is nothing to choose all of it is sent as it is, for the API to judge', async (t) => {
  for (const text of [config(['one'], 'one-context'), config([]), 'apiVersion: v1\n', 'text'])
    t.same(await choose(text), { kubeconfig: text, remark: undefined })
})

t.test('no such context: those that there are', async (t) => {
  const text = config(['one', 'two'])
  const hints = ['Choose one with --context.']
  await t.rejects(choose(text), {
    code: 2,
    message: 'standard input names no current context; it has one-context, two-context',
    hints,
  })
  await t.rejects(choose(text, 'four'), { code: 2, message: /has no context four; it has one-context, two-context/ })
  await t.rejects(choose('a: 1', 'four'), { code: 2, message: /has no context four; it has none/ })
})
