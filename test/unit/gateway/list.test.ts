/** Lists over many namespaces as one: in pages of any size, with members that do not answer, in every form. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { wantedForm } from '../../../services/gateway/accept.ts'
import { type Place, spreadOver } from '../../../services/gateway/fanout/cells.ts'
import { readCursor } from '../../../services/gateway/fanout/cursor.ts'
import { type Listed, listAll } from '../../../services/gateway/fanout/list.ts'
import { mergedList } from '../../../services/gateway/fanout/merge.ts'
import type { Member } from '../../../services/gateway/members.ts'
import type { Sent, Upstream } from '../../../services/gateway/upstream.ts'
import { Unreachable } from '../../../services/shared/kubernetes/index.ts'

const principal = { tokenId: 'tok_1', subject: 'test', partyId: 'pty_1', role: 'consumer' } as const
const memberOf = (slug: string) => ({ datacenterId: `dc_${slug}`, slug }) as unknown as Member
const target = { group: '', version: 'v1', resource: 'configmaps' }
const empty = { apiVersion: 'v1', kind: 'ConfigMap' }

interface World {
  /** Member → namespace → how many objects; null for a member that does not answer. */
  readonly members: Readonly<Record<string, Readonly<Record<string, number>> | null>>
}

/** API servers that page as real ones do and count for themselves. */
function upstreamOf({ members }: World, asked: string[] = []): Upstream {
  const answer = (code: number, body: object) =>
    Object.assign(Readable.from([Buffer.from(JSON.stringify(body))]), { statusCode: code }) as never
  const send = async ({ slug }: Member, { path, query = new URLSearchParams() }: Sent) => {
    asked.push(`${slug} ${path}?${query}`)
    const spaces = members[slug]
    if (!spaces) throw new Unreachable('down')
    const namespace = path.split('/')[4] ?? ''
    const from = Number(query.get('continue') ?? 0)
    const count = spaces[namespace] ?? 0
    const limit = Number(query.get('limit') ?? count)
    const items = Array.from({ length: Math.min(limit, count - from) }, (_, index) => ({
      metadata: { name: `${namespace}-${from + index}`, namespace },
    }))
    const end = from + items.length
    const metadata = { resourceVersion: String(1_000 + slug.length), ...(end < count && { continue: String(end) }) }
    return answer(200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata, items })
  }
  return { send, upgrade: () => Promise.reject(new Error('not here')) }
}

const spreadIn = ({ members }: World) => {
  const places = Object.entries(members).flatMap(([slug, spaces]): Place[] =>
    Object.keys(spaces ?? { dood: 1 }).map((namespace) => ({
      member: memberOf(slug),
      namespace,
      placementId: `plc_${namespace}`,
    })),
  )
  const same = new Map<string, Member>()
  const shared = places.map((place) => {
    const member = same.get(place.member.slug) ?? place.member
    same.set(place.member.slug, member)
    return { ...place, member }
  })
  return spreadOver(target, shared, principal, [])
}

const ask = (world: World, query: Record<string, string>, asked?: string[]): Promise<Listed> =>
  listAll(upstreamOf(world, asked), {
    spread: spreadIn(world),
    wanted: wantedForm('application/json'),
    query: new URLSearchParams(query),
    empty,
    signal: new AbortController().signal,
  })
interface ListDocument {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: { readonly metadata: { readonly name: string } }[]
}
const read = ({ document }: Listed) => document as unknown as ListDocument
const namesIn = (listed: Listed) => read(listed).items.map(({ metadata }) => metadata.name)

t.test('pages of any size give what one list gives, each object once and in the same order', async (t) => {
  const namespaces = (prefix: string) =>
    fc
      .array(fc.nat({ max: 7 }), { maxLength: 25 })
      .map((counts) =>
        Object.fromEntries(counts.map((count, index) => [`${prefix}${String(index).padStart(2, '0')}`, count])),
      )
  const worlds = fc.record({ aa: namespaces('a'), bbb: namespaces('b'), cccc: namespaces('c') })
  await fc.assert(
    fc.asyncProperty(worlds, fc.integer({ min: 1, max: 12 }), async (members, limit) => {
      const whole = await ask({ members }, {})
      const expected = Object.values(members).flatMap((spaces) =>
        Object.entries(spaces).flatMap(([name, count]) => Array.from({ length: count }, (_, i) => `${name}-${i}`)),
      )
      t.same(namesIn(whole), expected)
      const found: string[] = []
      let next = ''
      let versions = new Set<unknown>()
      for (let page = 0; page === 0 || next !== ''; page++) {
        const listed = await ask({ members }, { limit: String(limit), ...(next && { continue: next }) })
        const { metadata } = read(listed)
        if (namesIn(listed).length > limit) throw new Error('a page is larger than asked for')
        found.push(...namesIn(listed))
        versions = versions.add(metadata.resourceVersion)
        next = metadata.continue ?? ''
        if (page > 500) throw new Error('there is no end of pages')
      }
      t.same(found, expected)
      t.equal(versions.size, 1, 'the first page knows where all of them are')
    }),
    { numRuns: 150 },
  )
})

t.test('the members of one list are asked for one moment each', async (t) => {
  const asked: string[] = []
  await ask({ members: { aa: { a1: 1, a2: 1, a3: 1 }, bbb: { b1: 1 } } }, {}, asked)
  t.same(asked.sort(), [
    'aa /api/v1/namespaces/a1/configmaps?',
    'aa /api/v1/namespaces/a2/configmaps?resourceVersion=1002&resourceVersionMatch=Exact',
    'aa /api/v1/namespaces/a3/configmaps?resourceVersion=1002&resourceVersionMatch=Exact',
    'bbb /api/v1/namespaces/b1/configmaps?',
  ])
})

t.test('one that does not answer is told of and not asked for each namespace; none is a refusal', async (t) => {
  const asked: string[] = []
  const members = { aa: { a1: 2 }, bbb: null }
  const listed = await ask({ members }, {}, asked)
  t.same(namesIn(listed), ['a1-0', 'a1-1'])
  t.match(listed.warnings, ['datacenter bbb does not answer; what it has is missing here'])
  t.equal(asked.filter((each) => each.startsWith('bbb')).length, 1)
  const { place } = spreadIn({ members })
  t.match(readCursor(read(listed).metadata.resourceVersion, place, 2), {
    kind: 'cursor',
    cursor: { versions: [1_002n, 0n] },
  })
  const unavailable = (message: string) => ({ code: 'ServiceUnavailable', message })
  await t.rejects(ask({ members: { bbb: null } }, {}), unavailable('datacenter bbb does not answer'))
  const both = ask({ members: { ccc: null, bbb: null } }, {})
  await t.rejects(both, unavailable('none of your datacenters answers: bbb, ccc'))
})

t.test('a datacenter that lists a namespace that it was not asked for is not believed', async (t) => {
  const honest = upstreamOf({ members: { aa: { a1: 1 }, bbb: { b1: 1 } } })
  const lying: Upstream = {
    ...honest,
    send: async (member, sent) => {
      if (member.slug === 'aa') return honest.send(member, sent)
      const metadata = { name: 'x', namespace: 'a1' }
      const list = { kind: 'ConfigMapList', metadata: { resourceVersion: '5' }, items: [{ metadata }] }
      return Object.assign(Readable.from([Buffer.from(JSON.stringify(list))]), { statusCode: 200 }) as never
    },
  }
  const listed = await listAll(lying, {
    spread: spreadIn({ members: { aa: { a1: 1 }, bbb: { b1: 1 } } }),
    wanted: wantedForm('application/json'),
    query: new URLSearchParams(),
    empty,
    signal: new AbortController().signal,
  })
  t.same(namesIn(listed), ['a1-0'])
  t.match(listed.warnings, ['datacenter bbb does not answer; what it has is missing here'])
})

t.test('tokens of elsewhere', async (t) => {
  const members = { aa: { a1: 3, a2: 3 } }
  const first = await ask({ members }, { limit: '2' })
  const token = read(first).metadata.continue ?? ''
  await t.rejects(ask({ members: { aa: { a1: 3 } } }, { limit: '2', continue: token }), { code: 'Expired' })
  for (const bad of ['x', 'e30', Buffer.from('[1,"a",["b"],0,""]').toString('base64url'), `${token}x`.slice(4)])
    await t.rejects(ask({ members }, { continue: bad }), { code: 'BadRequest' }, bad)
  const { resourceVersion } = read(first).metadata
  await t.rejects(ask({ members: { aa: { a1: 3 } } }, { resourceVersion }), { code: 'Expired' })
  await t.rejects(ask({ members }, { resourceVersion: 'nu' }), { code: 'BadRequest' })
  await t.rejects(ask({ members }, { limit: '-1' }), { code: 'BadRequest' })
})

t.test('tables of several releases: columns of the same name stand under each other', async (t) => {
  const table = (names: string[], ...rows: unknown[][]) => ({
    document: { kind: 'Table', columnDefinitions: names.map((name) => ({ name })) },
    items: rows.map((cells) => ({ cells })),
  })
  const pages = [table(['Name', 'Age'], ['a', '1s']), table(['Name', 'Data', 'Age'], ['b', 3, '2s']), table([])]
  t.match(mergedList(pages, 'table', empty, {}), {
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'Age' }],
    rows: [{ cells: ['a', '1s'] }, { cells: ['b', '2s'] }],
  })
  t.match(mergedList([], 'table', empty, {}), { kind: 'Table', rows: [] })
  t.match(mergedList([], 'object', empty, {}), { kind: 'ConfigMapList', apiVersion: 'v1', items: [] })
  t.match(mergedList([], 'metadata', empty, {}), { kind: 'PartialObjectMetadataList', items: [] })
})

t.test('forms: what can be put together is asked for, protobuf never', async (t) => {
  t.same(wantedForm('application/vnd.kubernetes.protobuf,application/json'), {
    form: 'object',
    accept: 'application/json',
  })
  t.match(wantedForm('application/json;as=Table;v=v1;g=meta.k8s.io,application/json'), { form: 'table' })
  t.match(wantedForm('application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'), { form: 'object' })
  t.match(
    wantedForm(
      ['vnd.kubernetes.protobuf', 'json']
        .map((type) => `application/${type};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`)
        .join(','),
    ),
    { form: 'metadata' },
  )
  for (const any of [undefined, '*/*', 'application/*']) t.match(wantedForm(any), { form: 'object' })
  t.throws(() => wantedForm('application/vnd.kubernetes.protobuf'), { code: 'NotAcceptable' })
})
