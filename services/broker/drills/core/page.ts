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
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #767676;vertical-align:top;overflow-wrap:anywhere}
code{overflow-wrap:anywhere}.fault{font-weight:bold}@media print{body{margin:0}}`

export function reportPage({ report, sha256, signatures, language }: Page): string {
  const say = words[language]
  const title = `${say.title}: ${report.subject.name}`
  const how = report.parts ? [say.howParts, say.howParts] : [say.howRto, say.howRpo]
  const promises = [objectiveRow('RTO', report.rto, say, how[0]), objectiveRow('RPO', report.rpo, say, how[1])]
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
${partsPart(report, language)}
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
  { kind, from, to, partOf, startedBy, startedAt, endedAt, fencing, drillId, abortedBecause, version }: DrillReport,
  say: Say,
) =>
  [
    [say.drill, drillId],
    [say.partOf, partOf ?? null],
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

function objectiveRow(name: string, objective: Objective, say: Say, how = ''): string[] {
  return [name, ...figuresOf(objective, say), how]
}

function figuresOf({ promisedSeconds, achievedSeconds, kept }: Objective, say: Say): [string, string, string] {
  const seconds = (value: number | null, absent: string) => (value === null ? absent : `${value} s`)
  const verdict = kept === null ? '–' : kept ? say.yes : say.no
  return [seconds(promisedSeconds, say.nothingPromised), seconds(achievedSeconds, say.notMeasured), verdict]
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

function partsPart({ parts }: DrillReport, language: Language): string {
  if (!parts) return ''
  const say = words[language]
  const rows = parts.map(({ hosting, result, why, to, rto, rpo, findings, drillId, sha256 }) => [
    hosting,
    result === 'not-drilled' || result === 'left-out' ? say.notDrilled[result] : say.results[result],
    to ?? '–',
    rto ? figuresOf(rto, say).join(' / ') : '–',
    rpo ? figuresOf(rpo, say).join(' / ') : '–',
    [why, ...findings.map((each) => each[language]), drillId && `${drillId}: SHA-256 ${sha256}`]
      .filter((each) => each !== null)
      .join('; '),
  ])
  const figures = `${say.promised} / ${say.achieved} / ${say.kept}`.toLowerCase()
  const head = [say.hosting, say.result, say.to, `RTO: ${figures}`, `RPO: ${figures}`, say.remark]
  return `<h2>${say.parts}</h2>\n${table(head, rows)}`
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
