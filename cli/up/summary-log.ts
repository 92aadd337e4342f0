import { countText } from './quantity-text.ts';
import type { UpStatus } from './status.ts';
import { StatusHistory } from './status-history.ts';

const everyMs = 5000;

/** The summary without a terminal: one log entry every five seconds. Gives a function that ends it. */
export function summaryLog(
  source: () => UpStatus,
  log: { info(fields: object, message: string): void },
): () => void {
  const history = new StatusHistory();
  history.push(source());
  const timer = setInterval(() => {
    const { status, pointsPerSecond = 0, bytesPerPoint } = history.push(source());
    const { agents, seriesIn, seriesOut, readers } = status;
    const exports = readers.map(({ name, state, points, droppedPoints, error }) => ({
      name,
      state,
      points,
      droppedPoints,
      ...(error === '' ? {} : { error }),
    }));
    const fields = {
      agents,
      seriesIn,
      seriesOut,
      pointsPerSecond: Math.round(pointsPerSecond),
      bytesPerPoint: bytesPerPoint === undefined ? undefined : Number(bytesPerPoint.toFixed(3)),
      readers: exports,
    };
    const states = readers.map(({ name, state }) => `, ${name} ${state}`).join('');
    const message = `${agents} ${agents === 1 ? 'agent' : 'agents'}, ${countText(seriesIn)} series in, ${countText(seriesOut)} out, ${countText(Math.round(pointsPerSecond))} points/s${states}`;
    log.info(fields, message);
  }, everyMs);
  return () => clearInterval(timer);
}
