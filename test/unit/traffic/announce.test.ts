/** What ExternalDNS is told, where, and what of it has to go. */
import t from 'tap'
import { announcementOf, todoOf, withoutTaken } from '../../../services/broker/traffic/core/announce.ts'

const hosting = { id: 'hst_1', name: 'open-zaak' }
const at = (...ingress: object[]) => ({ status: { loadBalancer: { ingress } } })
const records = (ingress: object | undefined) => {
  const { object, problems } = announcementOf(
    hosting,
    [{ dnsName: 'zaken.example', ingress: 'web' }],
    new Map([['web', ingress]]),
  )
  return { endpoints: (object as { spec: { endpoints: object[] } } | undefined)?.spec.endpoints ?? [], problems }
}

t.test('a name leads to the address that its Ingress has', async (t) => {
  t.same(records(at({ ip: '192.0.2.1' }, { ip: '2001:db8::1' }, { ip: '192.0.2.2' })), {
    endpoints: [
      { dnsName: 'zaken.example', recordType: 'A', recordTTL: 60, targets: ['192.0.2.1', '192.0.2.2'] },
      { dnsName: 'zaken.example', recordType: 'AAAA', recordTTL: 60, targets: ['2001:db8::1'] },
    ],
    problems: [],
  })
  t.match(records(at({ hostname: 'lb.example' })), { endpoints: [{ recordType: 'CNAME', targets: ['lb.example'] }] })
  t.same(
    records(at({ hostname: 'lb.example' }, { ip: '192.0.2.1' })).endpoints.length,
    1,
    'never a name beside addresses',
  )
  for (const none of [undefined, {}, at()])
    t.match(records(none), { endpoints: [], problems: [/Ingress web has no address here yet/] })
})

t.test('announced where it is active, withdrawn elsewhere once it is active again', async (t) => {
  const endpoints = [{ dnsName: 'zaken.example', ingress: 'web' }]
  const wanted = (activeId: string | null, names = endpoints) => [{ hostingId: 'hst_1', activeId, endpoints: names }]
  const there = [{ hostingId: 'hst_1', datacenterId: 'dc_1' }]
  const announce = (datacenterId: string) => ({ hostingId: 'hst_1', datacenterId, what: 'announce' })
  const withdraw = { hostingId: 'hst_1', datacenterId: 'dc_1', what: 'withdraw' }
  t.same(todoOf(wanted('dc_1'), []), [announce('dc_1')])
  t.same(todoOf(wanted('dc_1'), there), [announce('dc_1')])
  t.same(todoOf(wanted(null), there), [], 'nobody has the right: it stays until somebody has')
  t.same(todoOf(wanted('dc_2'), there), [withdraw, announce('dc_2')])
  t.same(todoOf(wanted('dc_1', []), there), [withdraw], 'it has no name any more')
  t.same(todoOf([], there), [withdraw], 'it has ended')
})

t.test('a name that two want is of the first', async (t) => {
  const one = (hostingId: string, ...names: string[]) => ({
    hostingId,
    activeId: 'dc_1',
    endpoints: names.map((dnsName) => ({ dnsName, ingress: 'web' })),
  })
  const [first, second] = withoutTaken([one('hst_1', 'a.example'), one('hst_2', 'a.example', 'b.example')])
  t.same(
    first?.endpoints.map(({ dnsName }) => dnsName),
    ['a.example'],
  )
  t.same(
    second?.endpoints.map(({ dnsName }) => dnsName),
    ['b.example'],
  )
})
