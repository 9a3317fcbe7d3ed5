/** A report for people: one page that needs nothing else, in Dutch or English. Pure. */
import type { DrillFinding, DrillReport, Objective, Signature } from '../../../../schemas/index.ts'
import { type Language, stepWords, words } from './words.ts'

export interface Page {
  readonly report: DrillReport
  readonly sha256: string
  readonly signatures: readonly Signature[]
  readonly language: Language
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #767676;vertical-align:top}
code{overflow-wrap:anywhere}.fault{font-weight:bold}@media print{body{margin:0}}`

export function reportPage({ report, sha256, signatures, language }: Page): string {
  const say = words[language]
  const title = `${say.title}: ${report.subject.name}`
  const promises = [objectiveRow('RTO', report.rto, say), objectiveRow('RPO', report.rpo, say)]
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title><style>${style}</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
<p><strong>${say.results[report.result]}</strong></p>
${table(undefined, factsOf(report, say))}
<h2>${say.promises}</h2>
${table([say.what, say.promised, say.achieved, say.kept, say.how], promises)}
<h2>${say.steps}</h2>
${table([say.step, say.begun, say.ended, say.remark], stepRows(report, language))}
${outlookPart(report, say)}
<h2>${say.findings}</h2>
${findingsPart(report.findings, language)}
<h2>${say.signatures}</h2>
${signaturesPart(signatures, say)}
<p>SHA-256 ${say.ofReport}: <code>${text(sha256)}</code></p>
</main>
</body>
</html>
`
}

type Say = (typeof words)[Language]

const factsOf = (
  { kind, from, to, startedBy, startedAt, endedAt, fencing, drillId, abortedBecause, version }: DrillReport,
  say: Say,
) =>
  [
    [say.drill, drillId],
    [say.kind, say.kinds[kind]],
    [say.from, from],
    [say.to, to],
    [say.startedBy, startedBy],
    [say.begun, startedAt],
    [say.ended, endedAt],
    [
      say.stopMeasured,
      fencing.measuredSeconds === null
        ? null
        : `${fencing.measuredSeconds} s (${say.declared} ${fencing.declaredSeconds} s)`,
    ],
    [say.abortedBecause, abortedBecause],
    [say.version, version],
  ].filter((row): row is [string, string] => row[1] !== null)

function objectiveRow(name: string, { promisedSeconds, achievedSeconds, kept }: Objective, say: Say): string[] {
  const seconds = (value: number | null, absent: string) => (value === null ? absent : `${value} s`)
  const verdict = kept === null ? '–' : kept ? say.yes : say.no
  const how = name === 'RTO' ? say.howRto : say.howRpo
  return [name, seconds(promisedSeconds, say.nothingPromised), seconds(achievedSeconds, say.notMeasured), verdict, how]
}

function stepRows({ steps, operations }: DrillReport, language: Language): string[][] {
  const own = steps.map(({ name, startedAt, endedAt, note }) => [
    stepWords[language][name] ?? name,
    startedAt,
    endedAt ?? '–',
    note ?? '',
  ])
  const moved = operations.flatMap((operation) =>
    operation.steps.map(({ name, at, note }) => [`${operation.id}: ${name}`, at, at, note ?? '']),
  )
  return [...own, ...moved]
}

function outlookPart({ outlook }: DrillReport, say: Say): string {
  if (outlook.length === 0) return ''
  const rows = outlook.map(({ hosting, falls, to, why, expectedSeconds }) => [
    hosting,
    say.falls[falls],
    to ?? '–',
    expectedSeconds === null ? say.notMeasured : `${expectedSeconds} s`,
    why ?? '',
  ])
  return `<h2>${say.outlook}</h2>\n${table([say.hosting, say.comesUp, say.to, say.expected, say.remark], rows)}`
}

function findingsPart(findings: readonly DrillFinding[], language: Language): string {
  if (findings.length === 0) return `<p>${words[language].none}</p>`
  const items = findings.map((each) => `<li class="${each.weight}">${text(each[language])}</li>`)
  return `<ul>${items.join('')}</ul>`
}

function signaturesPart(signatures: readonly Signature[], say: Say): string {
  if (signatures.length === 0) return `<p>${say.unsigned}</p>`
  return table(
    [say.by, say.at, say.statement],
    signatures.map(({ by, at, statement }) => [by, at, statement]),
  )
}

function table(head: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  const top = head ? `<thead><tr>${head.map((cell) => `<th scope="col">${text(cell)}</th>`).join('')}</tr></thead>` : ''
  const body = rows.map(([first = '', ...cells]) => {
    const rest = cells.map((cell) => `<td>${text(cell)}</td>`).join('')
    return `<tr><th scope="row">${text(first)}</th>${rest}</tr>`
  })
  return `<table>${top}<tbody>${body.join('')}</tbody></table>`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const text = (value: string) => value.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
