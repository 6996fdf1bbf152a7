import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type * as z from 'zod';
import { TransferError } from '../../../src/base/errors.ts';
import { reportedProgress } from '../../../src/controllers/progress/reported-progress.ts';
import { judgePod } from '../../../src/controllers/transfers/pod-verdict.ts';
import { resumptionOf } from '../../../src/controllers/transfers/resumption.ts';
import { readReport, reportAnnotations } from '../../../src/controllers/transfers/transfer-report.ts';
import { requestFromEnvironment } from '../../../src/pods/transfer-role.ts';
import {
  copySourceRequest,
  copyTargetRequest,
  importRequest,
  transferResult,
  uploadRequest,
} from '../../../src/protocol/transfer-pod.ts';
import { uploadTokenClaims } from '../../../src/protocol/upload-token.ts';
import { parseCheckpoint } from '../../../src/transfer/checkpoint/checkpoint.ts';
import { CHECKPOINT_NAME, CheckpointFile } from '../../../src/transfer/copy/copy-checkpoint.ts';
import { offerHeaders, parseOffer, parseState, stateHeaders } from '../../../src/transfer/copy/copy-protocol.ts';
import { StageRecord } from '../../../src/transfer/disk/stage-record.ts';
import { loadRecord } from '../../../src/transfer/upload/upload-record.ts';

const VERSIONS = ['0.1.0'];
const VARIABLE = 'DISKPRESS_TEST_REQUEST';

type Document = Record<string, unknown>;
interface Recorded extends Record<string, Document> {
  importRequests: Record<string, Document>;
  results: Record<string, Document>;
  copyState: Record<string, string>;
  copyOffer: Record<string, string>;
  reportAnnotations: Record<string, string>;
}

/** What a later version may add anywhere. */
const withMore = (document: Document): Document => ({ ...document, addedLater: { by: 'another version' } });
const storeOf = (document: Document) => ({ load: async () => JSON.stringify(document) }) as never;

function requestOf(schema: z.ZodType, document: Document): unknown {
  process.env[VARIABLE] = JSON.stringify(document);
  try {
    return requestFromEnvironment(VARIABLE, schema);
  } catch (error) {
    return error;
  } finally {
    delete process.env[VARIABLE];
  }
}

for (const version of VERSIONS) {
  describe(`what version ${version} has written`, () => {
    let recorded: Recorded;

    before(async () => {
      const text = await readFile(join(import.meta.dirname, `recorded/${version}.json`), 'utf8');
      recorded = JSON.parse(text) as Recorded;
    });

    /** Each document that is ignored in part where there is more in it, and how it is read. */
    const readers: Record<string, (document: Document) => unknown> = {
      progress: reportedProgress,
      checkpoint: (document) => parseCheckpoint(JSON.stringify(document)),
      stageRecord: async (document) => new StageRecord(storeOf(document)).load(),
      uploadRecord: async (document) => loadRecord(storeOf(document)),
      uploadToken: (document) => uploadTokenClaims.parse(document),
      async copyCheckpoint(document) {
        const folder = await mkdtemp(join(tmpdir(), 'diskpress-versions-'));
        try {
          await writeFile(join(folder, CHECKPOINT_NAME), JSON.stringify(document));
          return await new CheckpointFile(folder).read();
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    };
    for (const [name, read] of Object.entries(readers)) {
      it(`is read: ${name}, also with more in it`, async () => {
        const document = recorded[name] ?? {};
        expect(await read(document)).to.deep.include(document);
        expect(await read(withMore(document))).to.deep.equal(await read(document));
      });
    }

    it('are results of pods, also with more in them', () => {
      const states = Object.values(recorded.results).flatMap((result) =>
        [result, withMore(result)].map((document) => {
          expect(transferResult.parse(document)).to.deep.equal(result);
          const exitCode = result['outcome'] === 'succeeded' ? 0 : 1;
          const state = { terminated: { exitCode, message: JSON.stringify(document) } };
          const containerStatuses = [{ name: 'importer', state } as never];
          return judgePod({ metadata: { name: 'importer-disk' }, status: { phase: 'Failed', containerStatuses } })
            .state;
        }),
      );
      expect(states).to.deep.equal(['succeeded', 'failed', 'scratch-required'].flatMap((state) => [state, state]));
    });

    it('are headers of copies, also with more among them', () => {
      const { copyState: state, copyOffer: offer } = recorded;
      const more = { 'x-diskpress-added-later': '1' };
      expect(stateHeaders(parseState({ ...state, ...more })!)).to.deep.equal({ ...state, 'x-diskpress-from': 1048576 });
      const sent = Object.entries(offerHeaders(parseOffer({ ...offer, ...more })));
      expect(Object.fromEntries(sent.map(([name, value]) => [name, String(value)]))).to.deep.equal(offer);
    });

    it('are annotations of claims, from which a transfer is known and goes on', () => {
      const annotations = { ...recorded.reportAnnotations, 'cdi.kubevirt.io/storage.addedLater': 'yes' };
      const report = readReport(annotations)!;
      expect(recorded.reportAnnotations).to.include(reportAnnotations(report));
      expect(report).to.include({ podPhase: 'Running', restarts: 2, progress: '25.00%' });
      expect(resumptionOf({ metadata: { annotations } })).to.include({ checkpoint: '{"version":1}' });
    });

    it('are requests; with more in them, a pod does nothing, and can be replaced', () => {
      const requests: [z.ZodType, Document][] = [
        ...Object.values(recorded.importRequests).map((document): [z.ZodType, Document] => [importRequest, document]),
        [copySourceRequest, recorded['copySourceRequest']!],
        [copyTargetRequest, recorded['copyTargetRequest']!],
        [uploadRequest, recorded['uploadRequest']!],
      ];
      for (const [schema, document] of requests) {
        expect(requestOf(schema, document)).to.deep.equal(document);
        const refusal = requestOf(schema, withMore(document));
        expect(refusal).to.be.instanceOf(TransferError);
        expect(refusal).to.include({ code: 'RequestNotUnderstood', permanent: false });
        expect((refusal as Error).message).to.include('addedLater');
      }
    });
  });
}
