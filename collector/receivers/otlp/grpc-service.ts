import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Server, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { sameBytes } from '../../../proto/service.ts';
import type { PortGuard } from '../../security/port-guard.ts';
import type { Http2Call } from '../http2-call.ts';
import { isGrpc, servePath } from '../serve-path.ts';
import type { StreamDoor } from '../stream-door.ts';
import type { StreamProblem } from '../stream-limits.ts';
import { responseBytes, statusOf } from './export-answer.ts';
import { exportPath, otherSignalPaths, serveExport } from './grpc-export.ts';
import type { OtlpDoor } from './otlp-door.ts';

export const metricsServiceName = 'opentelemetry.proto.collector.metrics.v1.MetricsService';

/** Each request is a call of its own: so many of them count as one stream that is opened. */
const exportCost = 1 / 20;

/** What of a gRPC port calls of OTLP have to do with. */
export interface OtlpGrpcPort {
  readonly door: OtlpDoor;
  /** Who may come in; without it everybody may. */
  readonly guard: PortGuard | undefined;
  readonly streamDoor: StreamDoor | undefined;
  /** A call whose messages may be as large as requests. */
  readonly callOf: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Http2Call;
  /** Counts a stream, and gives why it is refused. @param cost of it where rates are counted */
  readonly problem: (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    cost: number,
  ) => StreamProblem | undefined;
  /** Ends a call that is over a limit. */
  readonly refuse: (stream: ServerHttp2Stream, call: Http2Call, reason: string) => void;
}

/** Takes the calls of OTLP's services out of those of an HTTP/2 server, and serves them on their streams, as agents' are. */
export function serveOtlpOnStreams(server: Http2Server, port: OtlpGrpcPort): void {
  servePath(server, exportPath, (stream, headers) => {
    const call = admitted(stream, headers, port, exportCost);
    if (call === undefined) return;
    const admission = port.streamDoor?.admit(stream, headers, 'otlp') ?? { grant: undefined };
    if ('denial' in admission) {
      port.streamDoor!.refuse(stream, call, admission.denial);
      return;
    }
    const { address } = call;
    serveExport(call, port.door, {
      grant: admission.grant,
      connection: stream.session ?? stream,
      address,
      onDenied: (denial) => port.guard?.denied({ address }, denial),
    });
  });
  for (const [path, signal] of Object.entries(otherSignalPaths))
    servePath(server, path, (stream, headers) => {
      if (port.streamDoor?.isConnectionLetIn(stream, headers) === false) return;
      const call = admitted(stream, headers, port, 1);
      call?.end(status.UNIMPLEMENTED, port.door.otherSignal(signal, call.address));
    });
}

/** The call of a stream that speaks gRPC and is within the limits; any other has been answered. */
function admitted(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  port: OtlpGrpcPort,
  cost: number,
): Http2Call | undefined {
  const problem = port.problem(stream, headers, cost);
  if (!isGrpc(stream, headers)) return undefined;
  const call = port.callOf(stream, headers);
  if (problem === undefined) return call;
  port.refuse(stream, call, problem.reason);
  return undefined;
}

/** Serves `MetricsService/Export` by grpc-js: where its HTTP/2 servers cannot be had, and with them nobody who would ask for credentials. */
export function addOtlpService(server: Server, door: OtlpDoor): void {
  const method = {
    path: exportPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
    originalName: 'export',
  } as const;
  server.addService(
    { Export: method },
    {
      Export(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        const address = call.getPeer();
        const sender = { grant: undefined, connection: call, address, onDenied: () => {} };
        door.export({ ...sender, protocol: 'grpc', bytes: call.request }, (answer) => {
          if (answer.kind === 'taken') done(null, responseBytes(answer));
          else done({ code: statusOf[answer.kind], details: answer.message });
        });
      },
    },
  );
}
