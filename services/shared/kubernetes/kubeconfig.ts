/**
 * Reduces a kubeconfig to what is safe to connect with. A kubeconfig can name programs to run, files to read and proxies to
 * pass: everything that is not in the lists below is refused, and the dangerous fields by name.
 */
import { createAddressGuard, type EndpointPolicy } from './addresses.ts'
import { certificateError, identityError } from './certificates.ts'
import { hostOf, hostRefusal } from './endpoint.ts'
import { type Entries, type Errors, entriesOf, mapOf, refuseOthers, textOf } from './kubeconfig-fields.ts'
import { readStrictYaml, type Value } from './strict-yaml.ts'

/** How a cluster is reached: all that is kept of a kubeconfig. Data is base64 of PEM, as there. */
export type Connection = { readonly server: string; readonly caData: string } & (
  | { readonly token: string }
  | { readonly certData: string; readonly keyData: string }
)

export type Sanitized =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly errors: readonly { readonly pointer: string; readonly message: string }[] }

const maxBytes = 64 * 1024
const maxErrors = 20
const inlineInstead = 'names a file; give its content inline (kubectl config view --flatten --minify --raw does)'
const impersonates = 'impersonation is not accepted; give the credential of the account itself'

const clusterRefusals: Readonly<Record<string, string>> = {
  'certificate-authority': inlineInstead,
  'insecure-skip-tls-verify': 'the certificate of the server is always verified; remove this field',
  'proxy-url': 'proxies are not accepted',
  'tls-server-name': 'another name for the certificate is not accepted; the certificate must name the server',
}
const userRefusals: Readonly<Record<string, string>> = {
  exec: 'runs a program, which is not accepted; give a token or a client certificate',
  'auth-provider': 'authentication plugins are not accepted; give a token or a client certificate',
  'client-certificate': inlineInstead,
  'client-key': inlineInstead,
  tokenFile: inlineInstead,
  as: impersonates,
  'as-uid': impersonates,
  'as-groups': impersonates,
  'as-user-extra': impersonates,
  username: 'user names with passwords are not accepted',
  password: 'user names with passwords are not accepted',
}

/**
 * Pure: nothing is resolved, read or connected to. Accepts a `kind: Config` of at most 64 KiB whose current context has an
 * https server, an inline CA, and either a token or a client certificate with its key. Every entry is checked, also those
 * that the current context does not use. Errors name fields by JSON Pointer and never repeat a value.
 */
export function sanitizeKubeconfig(text: string, options: EndpointPolicy): Sanitized {
  if (Buffer.byteLength(text) > maxBytes) return failed([{ pointer: '', message: 'larger than 64 KiB' }])
  const read = readStrictYaml(text)
  if (!read.ok) return failed(read.errors)
  const errors: Errors = []
  const connection = connectionOf(read.value, options, errors)
  return errors.length === 0 && connection ? { ok: true, connection } : failed(errors)
}

function failed(errors: Errors): Sanitized {
  return { ok: false, errors: errors.slice(0, maxErrors) }
}

function connectionOf(document: Value, policy: EndpointPolicy, errors: Errors): Connection | undefined {
  const root = mapOf(document, '', errors)
  if (!root) return undefined
  const wanted = ['apiVersion', 'kind', 'clusters', 'contexts', 'users', 'current-context', 'preferences']
  refuseOthers(root, wanted, {}, '', errors)
  for (const [field, value] of [
    ['apiVersion', 'v1'],
    ['kind', 'Config'],
  ] as const) {
    if (root.get(field) !== value) errors.push({ pointer: `/${field}`, message: `must be ${value}` })
  }
  const preferences = root.get('preferences')
  if (preferences && !(preferences instanceof Map && preferences.size === 0)) {
    errors.push({ pointer: '/preferences', message: 'must be empty' })
  }
  const clusters = entriesOf(root, 'clusters', 'cluster', errors)
  const users = entriesOf(root, 'users', 'user', errors)
  const contexts = entriesOf(root, 'contexts', 'context', errors)
  for (const { pointer, body } of clusters.values()) checkCluster(body, pointer, policy, errors)
  for (const { pointer, body } of users.values()) checkUser(body, pointer, errors)
  for (const { pointer, body } of contexts.values()) {
    refuseOthers(body, ['cluster', 'user', 'namespace'], {}, pointer, errors)
  }
  const current = textOf(root, 'current-context', '', errors, 'required')
  const context = named(contexts, current, '/current-context', errors)
  if (!context) return undefined
  const reference = (field: 'cluster' | 'user', entries: Entries) =>
    named(
      entries,
      textOf(context.body, field, context.pointer, errors, 'required'),
      `${context.pointer}/${field}`,
      errors,
    )
  const cluster = reference('cluster', clusters)
  const user = reference('user', users)
  return cluster && user && errors.length === 0 ? connect(cluster.body, user.body) : undefined
}

function named(entries: Entries, name: string | undefined, pointer: string, errors: Errors) {
  if (name === undefined) return undefined
  const found = entries.get(name)
  if (!found) errors.push({ pointer, message: 'names an entry that is not there' })
  return found
}

function connect(cluster: ReadonlyMap<string, Value>, user: ReadonlyMap<string, Value>): Connection {
  const field = (map: ReadonlyMap<string, Value>, name: string) => String(map.get(name))
  const url = new URL(field(cluster, 'server'))
  const server = `${url.origin}${url.pathname.replace(/\/$/, '')}`
  const caData = field(cluster, 'certificate-authority-data')
  if (user.has('token')) return { server, caData, token: field(user, 'token') }
  return {
    server,
    caData,
    certData: field(user, 'client-certificate-data'),
    keyData: field(user, 'client-key-data'),
  }
}

function checkCluster(cluster: ReadonlyMap<string, Value>, pointer: string, policy: EndpointPolicy, errors: Errors) {
  refuseOthers(cluster, ['server', 'certificate-authority-data'], clusterRefusals, pointer, errors)
  const server = textOf(cluster, 'server', pointer, errors, 'required')
  const message = server === undefined ? undefined : serverError(server, policy)
  if (message) errors.push({ pointer: `${pointer}/server`, message })
  const ca = textOf(cluster, 'certificate-authority-data', pointer, errors, 'required')
  const caMessage = ca === undefined ? undefined : certificateError(ca)
  if (caMessage) errors.push({ pointer: `${pointer}/certificate-authority-data`, message: caMessage })
}

function serverError(server: string, policy: EndpointPolicy): string | undefined {
  const url = URL.parse(server)
  if (!url) return 'not a URL'
  if (url.protocol !== 'https:') return 'must begin with https://'
  if (url.username || url.password) return 'may not hold a user name or password'
  if (url.search || url.hash || /[?#]/.test(server)) return 'may not have a query or a fragment'
  if (!/^https:\/\/[^/\\\s]+(\/[\w~-][\w.~-]*)*\/?$/i.test(server)) return 'its path is not in canonical form'
  return hostRefusal(hostOf(url), createAddressGuard(policy))
}

function checkUser(user: ReadonlyMap<string, Value>, pointer: string, errors: Errors): void {
  refuseOthers(user, ['token', 'client-certificate-data', 'client-key-data'], userRefusals, pointer, errors)
  const token = textOf(user, 'token', pointer, errors)
  const cert = textOf(user, 'client-certificate-data', pointer, errors)
  const key = textOf(user, 'client-key-data', pointer, errors)
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    errors.push({ pointer: `${pointer}/token`, message: 'may hold only printable ASCII without blanks' })
  }
  if (user.has('token')) {
    if (cert !== undefined || key !== undefined)
      errors.push({ pointer, message: 'has a token and a certificate; give one' })
  } else if (cert !== undefined && key !== undefined) {
    const wrong = identityError(cert, key)
    if (wrong) errors.push({ pointer: `${pointer}/${wrong.field}`, message: wrong.message })
  } else if (![...user.keys()].some((name) => name in userRefusals)) {
    errors.push({ pointer, message: 'needs a token, or client-certificate-data with client-key-data' })
  }
}
