/** The table of who may ask what of whom. */
import t from 'tap'
import type { Space, View } from '../../../services/gateway/directory.ts'
import { type Route, routeOf } from '../../../services/gateway/route.ts'
import { type Resource, readTarget } from '../../../services/gateway/target.ts'

const site = { datacenterId: 'dc_1', slug: 'breda', placementId: 'plc_1' }
const space = (name: string, state: Space['state'], at: Space['site'] = site): Space => ({
  name,
  hostingId: `hst_${name}`,
  system: name,
  createdMs: 0,
  state,
  site: at,
})
const spaces = [
  space('actief', 'active'),
  space('wacht', 'waiting', undefined),
  space('begint', 'preparing'),
  space('botst', 'conflict'),
  space('eindigt', 'ending'),
  space('onderweg', 'nowhere'),
]
const view: View = { spaces: new Map(spaces.map((each) => [each.name, each])), version: 'v' }

const route = (method: string, target: string, fresh = true): Route => {
  const read = readTarget(method, target)
  if (!read.ok) throw new Error(read.message)
  return routeOf(read.target as Resource, view, fresh)
}
/** Where it goes, or the code and the words of its refusal. */
const outcome = (method: string, target: string) => {
  const found = route(method, target)
  return found.to === 'refusal' ? `${found.refusal.status.code} ${found.refusal.status.message}` : found.to
}

t.test('within a namespace', async (t) => {
  const table: [string, string, string | RegExp][] = [
    ['GET', 'actief/pods', 'spread'],
    ['GET', 'actief/pods?watch=1', 'spread'],
    ['GET', 'actief/pods/x', 'space'],
    ['POST', 'actief/pods', 'space'],
    ['DELETE', 'actief/pods', 'space'],
    ['PATCH', 'actief/pods/x/status', 'space'],
    ['POST', 'actief/pods/x/exec', 'space'],
    ['POST', 'actief/pods/x/binding', /^403 .*pods\/binding is not served/],
    ['POST', 'actief/serviceaccounts/x/token', /^403/],
    ['GET', 'actief/pods/x/proxy', /^403/],
    ['GET', 'eindigt/pods', 'spread'],
    ['GET', 'eindigt/pods/x', 'space'],
    ['POST', 'eindigt/pods', /^404 hosting eindigt is ending/],
    ['GET', 'onderweg/pods', /^503 hosting onderweg is active nowhere just now: it leaves breda/],
    ['GET', 'onderweg/pods?watch=1', /^503/],
    ['POST', 'onderweg/pods', /^503/],
    ['POST', 'onderweg/pods/x/exec', /^503/],
    ['GET', 'wacht/pods', /^503 hosting wacht has no place yet/],
    ['POST', 'begint/pods', /^503 hosting begint is being prepared at breda/],
    ['GET', 'botst/pods/x', /^503 breda has a namespace botst of its own/],
    ['GET', 'elders/pods', '404 namespaces "elders" not found'],
    ['POST', 'elders/pods/x/exec', '404 namespaces "elders" not found'],
    ['POST', 'elders/serviceaccounts/x/token', '404 namespaces "elders" not found'],
  ]
  for (const [method, path, expected] of table)
    t.match(outcome(method, `/api/v1/namespaces/${path}`), expected, `${method} ${path}`)
})

t.test('above namespaces', async (t) => {
  const table: [string, string, string | RegExp][] = [
    ['GET', '/api/v1/pods', 'spread'],
    ['GET', '/apis/apps/v1/deployments?watch=true', 'spread'],
    ['DELETE', '/api/v1/pods', /^403/],
    ['POST', '/api/v1/pods', /^403/],
    ['GET', '/api/v1/pods/x', /^403/],
    [
      'GET',
      '/api/v1/persistentvolumes/x',
      /^403 persistentvolumes "x" is forbidden: cannot get: .*only the namespaces/,
    ],
    ['GET', '/api/v1/nodes', 'clusters'],
    ['GET', '/api/v1/nodes/x', 'clusters'],
    ['GET', '/api/v1/nodes/x/proxy', /^403/],
    ['PATCH', '/api/v1/nodes/x', /^403 .*can only be seen/],
    ['GET', '/apis/storage.k8s.io/v1/storageclasses', 'clusters'],
    ['GET', '/apis/storage.k8s.io/v1beta1/storageclasses/x', /^403/],
    ['GET', '/api/v1/namespaces', 'namespaces'],
    ['GET', '/api/v1/namespaces/actief', 'namespaces'],
    ['GET', '/api/v1/namespaces/wacht', 'namespaces'],
    ['GET', '/api/v1/namespaces/elders', '404 namespaces "elders" not found'],
    ['POST', '/api/v1/namespaces', 'creation'],
    ['PATCH', '/api/v1/namespaces/elders', 'creation'],
    ['DELETE', '/api/v1/namespaces/actief', 'creation'],
    ['DELETE', '/api/v1/namespaces/elders', '404 namespaces "elders" not found'],
    ['PUT', '/api/v1/namespaces/actief/finalize', /^403/],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'review'],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', /^405/],
    ['POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', /^403/],
  ]
  for (const [method, path, expected] of table) t.match(outcome(method, path), expected, `${method} ${path}`)
})

t.test(
  'a list over all goes over what stands, also what is on its way: left out it would seem to be gone',
  async (t) => {
    const found = route('GET', '/api/v1/pods')
    t.match(found, { to: 'spread', spaces: [{ name: 'actief' }, { name: 'begint' }].slice(0, 1) })
    if (found.to === 'spread')
      t.same(
        found.spaces.map(({ name }) => name),
        ['actief', 'eindigt', 'onderweg'],
      )
  },
)

t.test('what an older view does not have is looked for once more before it is refused', async (t) => {
  for (const path of ['elders/pods', 'wacht/pods', 'begint/pods/x', 'botst/pods'])
    t.equal(route('GET', `/api/v1/namespaces/${path}`, false).to, 'unknown', path)
  t.equal(route('GET', '/api/v1/namespaces/elders', false).to, 'unknown')
  t.equal(route('GET', '/api/v1/namespaces/actief/pods', false).to, 'spread')
})
