import { AreaChart } from '@mantine/charts';
import '@mantine/charts/styles.css';
import type { RoundWire } from '../../../wire/generated';
import { whole } from '../../shared/numbers';

const SERIES = [
  { name: 'no', label: 'No', color: 'var(--no)' },
  // dashed, because some eyes take its grey for the teal of yes
  { name: 'unknown', label: 'Unknown', color: 'var(--unknown)', strokeDasharray: '4 4' },
  { name: 'yes', label: 'Yes', color: 'var(--yes)' },
] as const;

/** The pool by round: no at the bottom, unknown between, yes on top; each named at its end rather than in a legend. */
export default function RoundsChart({ rounds }: { rounds: readonly RoundWire[] }) {
  const data = rounds.map(({ number, no, unknown, yes }) => ({ round: `${number}`, no, unknown, yes }));
  const last = rounds.at(-1);
  if (!last) return null;
  return (
    <div className="chart" aria-hidden="true">
      <AreaChart
        h={280}
        data={data}
        dataKey="round"
        type="stacked"
        series={[...SERIES]}
        curveType="linear"
        withDots={rounds.length < 30}
        withGradient={false}
        fillOpacity={0.35}
        valueFormatter={whole}
        xAxisLabel="Round"
        yAxisProps={{ domain: [0, 'dataMax'], width: 56, tickFormatter: short }}
        areaProps={{ isAnimationActive: false }}
        // the sentence above and the table below say the same to those who cannot see it
        areaChartProps={{ accessibilityLayer: false }}
      />
      <ul className="chart-ends">
        {[...SERIES].reverse().map(({ name, label }) => (
          <li key={name} className={`part ${name}`} style={{ flexGrow: Math.max(last[name], 1) }}>
            {last[name] > 0 && `${label} ${whole(last[name])}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

function short(number: number): string {
  return number >= 10_000 ? `${Math.round(number / 1000)}k` : whole(number);
}
