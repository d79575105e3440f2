/** What a bench says: one row per figure, a table for people, JSON for machines. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Measured } from './load.ts';

/** A figure, and what it is held against. */
export interface Row {
  readonly scenario: string;
  readonly unit: string;
  readonly parley: number;
  /** The echo's value, or that of the lighter of two loads; absent when nothing is compared. */
  readonly baseline?: number;
  readonly ratio?: number;
  /** A bound for the ratio, or for the value when there is no ratio; absent for what is only told. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number };
}

/** What a scenario hands back: rows for the table, and every measurement behind them. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly details: Readonly<Record<string, unknown>>;
}

/** Whether a row meets its target; one without a target does. */
export function passes({ ratio, parley, target }: Row): boolean {
  const value = ratio ?? parley;
  if (target === undefined) return true;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** Prints the rows as a table. */
export function printTable(rows: readonly Row[]): void {
  const heads = ['scenario', 'Parley', 'baseline', 'unit', 'ratio', 'target', ''];
  const lines = [heads, ...rows.map(cells)];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const isNumber = (column: number) => [1, 2, 4].includes(column);
  for (const line of lines) {
    const padded = line.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    console.log(padded.join('  ').trimEnd());
  }
}

function cells(row: Row): string[] {
  const { scenario, unit, parley, baseline, ratio, target } = row;
  const bound = target && ('atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`);
  const verdict = !target ? '' : passes(row) ? 'pass' : 'FAIL';
  return [scenario, figure(parley), figure(baseline), unit, figure(ratio), bound ?? '', verdict];
}

/** Three digits that count; whole numbers above a hundred. */
function figure(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Everything a later reader needs to weigh the figures. */
export function writeJson(file: string, options: object, rows: readonly Row[], details: object): void {
  const report = {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryMb: Math.round(totalmem() / 2 ** 20),
      node: process.version,
    },
    options,
    rows: rows.map((row) => ({ ...row, pass: passes(row) })),
    details,
  };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** A round's figures without the tally of each body. */
export function brief({ acknowledged, ...figures }: Measured): object {
  return { ...figures, acknowledged: acknowledged.reduce((sum, { calls }) => sum + calls, 0) };
}

/** The commit that was measured, marked when the tree differs from it; null outside a repository. */
function commit(): string | null {
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=12'];
    return execFileSync('git', describe, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
