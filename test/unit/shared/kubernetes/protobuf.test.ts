/** Protobuf as kubectl 1.36 sends it becomes what kubectl would have sent as JSON; anything else is refused calmly. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { readBody } from '../../../../services/sandbox/kubernetes/body.ts'
import { readProtobuf } from '../../../../services/shared/kubernetes/protobuf.ts'

/** Bodies of kubectl, each with what the same command prints under `--dry-run=client -o json`. */
const sent: readonly (readonly [command: string, body: string, json: object])[] = [
  [
    'create namespace a',
    'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhkKEQoBYRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' }, spec: {}, status: {} },
  ],
  [
    'create quota q --hard=pods=3,requests.cpu=2',
    'azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRI6ChIKAXESABoBYSIAKgAyADgAQgASIgoLCgRwb2RzEgMKATMKEwoMcmVxdWVzdHMuY3B1EgMKATIaABoA' +
      'IgA=',
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: 'a' },
      spec: { hard: { pods: '3', 'requests.cpu': '2' } },
      status: {},
    },
  ],
  [
    'create deployment d0 --image=x --replicas=0',
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EqABCh4KAmQwEgAaAWEiACoAMgA4AEIAWgkKA2FwcBICZDAScAgAEgsKCQoDYXBwEgJkMBpXChsKABIA' +
      'GgAiACoAMgA4AEIAWgkKA2FwcBICZDASOBIaCgF4EgF4KgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgA' +
      'OAAaDAgAEAAYACAAKAA4ABoAIgA=',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd0', namespace: 'a', labels: { app: 'd0' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'd0' } },
        strategy: {},
        template: {
          metadata: { labels: { app: 'd0' } },
          spec: { containers: [{ name: 'x', image: 'x', resources: {} }] },
        },
      },
      status: {},
    },
  ],
  [
    'create secret generic s --from-literal=p=w',
    'azhzAAoMCgJ2MRIGU2VjcmV0Eh4KEgoBcxIAGgFhIgAqADIAOABCABIGCgFwEgF3GgAaACIA',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'a' }, data: { p: 'dw==' } },
  ],
  [
    'create pdb p --selector=app=x --min-available=50%',
    'azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSOQoSCgFwEgAaAWEiACoAMgA4AEIAEhcKCQgBEAAaAzUwJRIKCggKA2FwcBIBeBoK' +
      'CAAYACAAKAAwABoAIgA=',
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'p', namespace: 'a' },
      spec: { minAvailable: '50%', selector: { matchLabels: { app: 'x' } } },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    },
  ],
  [
    'create service clusterip sv --tcp=80:8080',
    'azhzAAoNCgJ2MRIHU2VydmljZRJnCh4KAnN2EgAaAWEiACoAMgA4AEIAWgkKA2FwcBICc3YSQQobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAEgkK' +
      'A2FwcBICc3YaACIJQ2x1c3RlcklQOgBCAFIAWgBgAGgAGgIKABoAIgA=',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'sv', namespace: 'a', labels: { app: 'sv' } },
      spec: {
        type: 'ClusterIP',
        selector: { app: 'sv' },
        ports: [{ name: '80-8080', port: 80, protocol: 'TCP', targetPort: 8080 }],
      },
      status: { loadBalancer: {} },
    },
  ],
  [
    'auth can-i create deployments.apps -n a',
    'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSRAoQCgASABoAIgAqADIAOABCABImCiQKAWESBmNy' +
      'ZWF0ZRoEYXBwcyIAKgtkZXBsb3ltZW50czIAOgAaCAgAEgAaACAAGgAiAA==',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      spec: { resourceAttributes: { namespace: 'a', verb: 'create', group: 'apps', resource: 'deployments' } },
      status: { allowed: false },
    },
  ],
  ['drain, of each pod', 'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIAGgAiAA==', { apiVersion: 'v1', kind: 'DeleteOptions' }],
]
const bytesOf = (command: string) => Buffer.from(sent.find(([each]) => each === command)?.[1] ?? '', 'base64')

/** Protobuf by hand: what bodies of kubectl do not hold. Numbers are below 128 or written as bytes. */
const part = (number: number, value: string | Buffer) => {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}
const count = (number: number, value: number | bigint) => Buffer.concat([varint(number * 8), varint(value)])
function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return Buffer.from([...bytes, Number(left)])
}
const object = (apiVersion: string, kind: string, ...parts: Buffer[]) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    part(1, Buffer.concat([part(1, apiVersion), part(2, kind)])),
    part(2, Buffer.concat(parts)),
  ])
const pod = (...spec: Buffer[]) => object('v1', 'Pod', part(2, Buffer.concat(spec)))
const refusal = (bytes: Buffer): string => {
  try {
    readProtobuf(bytes)
    return 'none'
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return error.message
  }
}

t.test('bodies of kubectl become their JSON', async (t) => {
  for (const [command, body, json] of sent) t.strictSame(readProtobuf(Buffer.from(body, 'base64')), json, command)
})

t.test('times, numbers of both signs and JSON within', async (t) => {
  const microTime = Buffer.concat([count(1, 1_700_000_000), count(2, 42_000)])
  const lease = (acquired: Buffer | string) => object('coordination.k8s.io/v1', 'Lease', part(2, part(3, acquired)))
  t.strictSame(readProtobuf(lease(microTime))['spec'], { acquireTime: '2023-11-14T22:13:20.000042Z' })
  t.strictSame(readProtobuf(lease(''))['spec'], { acquireTime: null }, 'a moment that was never set')
  const managed = part(17, Buffer.concat([part(4, count(1, 0)), part(7, part(1, '{"f:spec":{}}'))]))
  const stamped = readProtobuf(object('v1', 'ConfigMap', part(1, Buffer.concat([part(8, count(1, -1)), managed]))))
  t.strictSame(stamped['metadata'], {
    creationTimestamp: '1969-12-31T23:59:59Z',
    managedFields: [{ time: '1970-01-01T00:00:00Z', fieldsV1: { 'f:spec': {} } }],
  })
  t.strictSame(readProtobuf(pod(count(25, -5)))['spec'], { priority: -5 })
  const groups = part(14, Buffer.concat([count(4, 1), part(4, Buffer.concat([varint(2), varint(300)]))]))
  t.strictSame(readProtobuf(pod(groups))['spec'], { securityContext: { supplementalGroups: [1, 2, 300] } }, 'packed')
  const volume = part(1, Buffer.concat([part(1, 'v'), part(2, part(2, part(1, 'Memory')))]))
  t.strictSame(
    readProtobuf(pod(volume))['spec'],
    { volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] },
    'inline',
  )
})

t.test('a key may be any text, and what is newer than the table is passed over', async (t) => {
  const entry = part(2, Buffer.concat([part(1, '__proto__'), part(2, 'x')]))
  const { data } = readProtobuf(object('v1', 'ConfigMap', entry, part(2, part(1, 'empty')), part(99, 'new')))
  t.strictSame(Object.entries(data as object), [
    ['__proto__', 'x'],
    ['empty', ''],
  ])
})

t.test('refusals say why', async (t) => {
  t.match(refusal(Buffer.from('{"kind":"Pod"}')), /does not begin/)
  t.match(refusal(object('v1', 'Gadget')), 'v1 Gadget is not read in protobuf here: send JSON')
  t.match(refusal(object('', 'constructor')), /is not read in protobuf here/)
  t.match(refusal(Buffer.concat([object('v1', 'Pod'), part(4, 'application/json')])), /something else/)
  t.match(refusal(object('v1', 'Pod', count(2, 1))), /spec is not of the type/)
  t.match(refusal(object('v1', 'Pod', varint(2 * 8 + 5), Buffer.alloc(4))), /spec is not of the type/)
  t.match(refusal(object('v1', 'Pod', varint(2 * 8 + 3))), /wire type 3/)
  t.match(refusal(object('v1', 'Pod', varint(2))), /impossible number/)
  t.match(refusal(object('v1', 'Pod', Buffer.alloc(11, 0xff))), /longer than ten bytes/)
  t.match(refusal(object('v1', 'ConfigMap', part(1, part(1, Buffer.from([0xff]))))), /not UTF-8/)
  t.match(refusal(object('v1', 'ConfigMap', part(1, part(8, count(1, 2 ** 60))))), /time/i)
  t.match(refusal(object('v1', 'ConfigMap', part(1, part(17, part(7, part(1, '{')))))), /JSON within/)
})

t.test('no bytes bring anything but an object or a refusal', async (t) => {
  const whole = sent.map(([, body]) => Buffer.from(body, 'base64'))
  let refused = 0
  const settle = (bytes: Buffer) => {
    if (refusal(bytes) !== 'none') refused++
  }
  for (const bytes of whole) for (let length = 0; length < bytes.length; length++) settle(bytes.subarray(0, length))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
      settle(Buffer.concat([Buffer.from('k8s\0'), raw]))
      settle(pod(Buffer.from(raw)))
    }),
  )
  const change = fc.tuple(fc.constantFrom(...whole), fc.nat(300), fc.nat(255))
  fc.assert(
    fc.property(change, ([bytes, at, value]) => {
      const changed = Buffer.from(bytes)
      changed[4 + (at % (bytes.length - 4))] = value
      settle(changed)
    }),
    { numRuns: 500 },
  )
  t.ok(refused > 100)
})

t.test('a body of very many small parts is read whole, each part in the same time', async (t) => {
  const names = Buffer.concat(Array.from({ length: 300_000 }, () => part(14, '')))
  const { metadata } = readProtobuf(object('v1', 'ConfigMap', part(1, names)))
  t.equal((metadata as { finalizers: string[] }).finalizers.length, 300_000)
  const entries = Array.from({ length: 100_000 }, (_, index) => part(2, part(1, String(index))))
  t.equal(Object.keys(readProtobuf(object('v1', 'ConfigMap', ...entries))['data'] as object).length, 100_000)
})

t.test('it is a media type of whole objects, not of patches', async (t) => {
  const request = (method: string, body: Buffer) => {
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    return Object.assign(Readable.from([body]), { method, headers }) as unknown as IncomingMessage
  }
  const namespace = bytesOf('create namespace a')
  for (const method of ['POST', 'PUT', 'DELETE']) {
    t.match(await readBody(request(method, namespace)), { value: { kind: 'Namespace' } }, method)
  }
  const refused = (method: string, body: Buffer) => readBody(request(method, body)).catch((error: unknown) => error)
  t.match(await refused('PATCH', namespace), { status: { code: 415 } })
  t.match(await refused('POST', namespace.subarray(0, 30)), { status: { code: 400, reason: 'BadRequest' } })
})
