/** Tables: aligned whatever stands in them, nothing cut off, no line longer than it must be. */
import fc from 'fast-check'
import t from 'tap'
import { renderTable } from '../../../services/cli/table.ts'
import type { Paint } from '../../../services/cli/text.ts'

const plain: Paint = (_tone, text) => text
const marked: Paint = (tone, text) => (tone === undefined ? text : `<${tone}>${text}</>`)
const columns = [{ title: 'NAME' }, { title: 'CORES', right: true }, { title: 'WHY' }]

t.test('columns are as wide as their widest cell; figures stand right', async (t) => {
  t.equal(
    renderTable(
      columns,
      [
        ['utrecht', '8', 'none'],
        ['den-haag-2', '1024', ''],
      ],
      plain,
    ),
    'NAME        CORES  WHY\nutrecht         8  none\nden-haag-2   1024\n',
  )
  t.equal(renderTable(columns, [], plain), 'NAME  CORES  WHY\n', 'without rows the heading stands')
  t.equal(renderTable(columns, [['a']], plain), 'NAME  CORES  WHY\na\n', 'a cell that is not given is empty')
})

t.test('wide and combined letters take the cells that a terminal gives them', async (t) => {
  const rows = [['e\u0301e\u0301'], ['都市'], ['😀'], ['ab']].map(([name = '']) => [name, '1', ''])
  t.equal(
    renderTable(columns, rows, plain),
    'NAME  CORES  WHY\ne\u0301e\u0301        1\n都市      1\n😀        1\nab        1\n',
  )
})

t.test('colour takes no room, and what steers a terminal is written out', async (t) => {
  t.equal(
    renderTable(columns, [[{ text: 'a', tone: 'good' }, { text: '1', tone: 'bad' }, 'x\u001b[0m\ny']], marked),
    '<heading>NAME</>  <heading>CORES</>  <heading>WHY</>\n<good>a</>         <bad>1</>  x\\u001b[0m\\u000ay\n',
  )
})

t.test('one line a row, and every cell whole', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.string({ minLength: 1 }), { minLength: 3, maxLength: 3 })), (rows) => {
      const lines = renderTable(columns, rows, plain).split('\n')
      if (lines.length !== rows.length + 2) return false
      return rows.every((row, index) => row.every((cell) => lines[index + 1]?.includes(cell.trim())))
    }),
  )
})
