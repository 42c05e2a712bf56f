import { expect, test } from 'vitest'
import { checkConfig, configDefaults } from '../../src/config/load.ts'
import { SECTIONS } from '../../src/config/options.ts'
import { renderSample } from '../../src/config/sample.ts'

const AROUND = { root: true, home: '/root', hostname: 'lab-1' }

test('the sample as printed sets nothing', () => {
  const { config, problems } = checkConfig(renderSample(), AROUND)
  expect(problems).toEqual([])
  expect(config).toEqual(configDefaults(AROUND))
})

test('the sample with every line uncommented is the defaults', () => {
  const uncommented = renderSample().replace(/^#(?=\S)/gm, '')
  expect(uncommented).toContain('\nbind_port = 9876\n')
  const { config, problems } = checkConfig(uncommented, AROUND)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  expect(config).toEqual(configDefaults(AROUND))
})

test('the sample has every option that is not obsolete, and its help', () => {
  const sample = renderSample()
  for (const [section, options] of Object.entries(SECTIONS)) {
    const start = sample.indexOf(`\n[${section}]\n`)
    const end = sample.indexOf('\n[', start + 1)
    const text = start < 0 ? '' : sample.slice(start, end < 0 ? undefined : end)
    for (const [name, option] of Object.entries(options)) {
      const shown = new RegExp(`^#\\[\\[${section}\\.${name}\\]\\]$|^# ?${name} = `, 'm').test(text)
      expect([section, name, shown]).toEqual([section, name, option.status !== 'obsolete'])
      if (shown) expect(text).toContain(option.help)
    }
  }
})

test('every line of the sample fits a screen but those with a long default', () => {
  const long = renderSample()
    .split('\n')
    .filter((line) => line.length > 110 && !/^# ?\w+ = /.test(line))
  expect(long).toEqual([])
})
