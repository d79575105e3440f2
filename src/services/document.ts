/** DocumentService: messages in, the domain's documents out. */
import { create, toBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  type CreateDocumentRequest,
  CreateDocumentResponseSchema,
  type DeleteDocumentRequest,
  DocumentSchema,
  type GetDocumentRequest,
  GetDocumentResponseSchema,
  type ListDocumentsRequest,
  ListDocumentsRequestSchema,
  ListDocumentsResponseSchema,
  type DocumentService as Proto,
  type SearchDocumentsRequest,
  SearchDocumentsResponseSchema,
  SearchMode,
  SearchResultSchema,
} from '../../gen/parley/v1/document_service_pb.ts';
import { type Document, isDocumentPosition, type NewDocument } from '../documents/document.ts';
import type { Documents, SearchQuery, SearchResult } from '../documents/documents.ts';
import { fieldInvalid } from '../errors.ts';
import type { Call } from '../rpc/call.ts';
import { Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import { type WireWriter, written } from '../structs/wire_writer.ts';
import { keyOf } from './session_input.ts';
import { field, repeated, writeNumber, writeStruct, writeText, writeTimestamp } from './wire.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export class DocumentService implements ServiceImpl<typeof Proto> {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async createDocument(request: CreateDocumentRequest, call: Call) {
    const input = newDocument(request);
    const document = await this.#documents.create(keyOf(request), request.documentId, input, call);
    return answer(CreateDocumentResponseSchema.field.document.number, document, input.content);
  }

  async getDocument(request: GetDocumentRequest) {
    const { content, ...document } = await this.#documents.get(keyOf(request), request.documentId);
    return answer(GetDocumentResponseSchema.field.document.number, document, content);
  }

  async listDocuments(request: ListDocumentsRequest, call: Call) {
    const page = new Page(ListDocumentsRequestSchema, request, isDocumentPosition);
    const found = this.#documents.list(keyOf(request), request.metadataFilter, page.after, call);
    for await (const document of found) {
      const position = { time: document.createTime, documentId: document.documentId };
      if (!page.add(encodeDocument(document), position)) break;
    }
    const rest = create(ListDocumentsResponseSchema, { nextPageToken: page.nextPageToken });
    const documents = ListDocumentsResponseSchema.field.documents.number;
    return repeated(documents, page.items, toBinary(ListDocumentsResponseSchema, rest));
  }

  async deleteDocument(request: DeleteDocumentRequest, call: Call) {
    await this.#documents.delete(keyOf(request), request.documentId, request.allowMissing, call);
    return {};
  }

  async searchDocuments(request: SearchDocumentsRequest, call: Call) {
    const { text, metadataFilter } = request;
    const limit = Math.min(request.limit || DEFAULT_LIMIT, MAX_LIMIT);
    const query = { text, mode: MODES[request.mode] ?? 'AUTO', metadataFilter, limit };
    const { results, mode } = await this.#documents.search(keyOf(request), query, call);
    const rest = create(SearchDocumentsResponseSchema, { mode: SearchMode[mode] });
    const found = SearchDocumentsResponseSchema.field.results.number;
    return repeated(found, results.map(encodeResult), toBinary(SearchDocumentsResponseSchema, rest));
  }
}

/** By the numbers of the proto's enum. */
const MODES: Readonly<Record<number, SearchQuery['mode']>> = {
  [SearchMode.TEXT]: 'TEXT',
  [SearchMode.VECTOR]: 'VECTOR',
  [SearchMode.HYBRID]: 'HYBRID',
};

function newDocument({ document, documentId }: CreateDocumentRequest): NewDocument {
  const { title, content, metadata = {}, documentId: inside } = document!;
  if (inside !== '' && inside !== documentId) {
    throw fieldInvalid('document.document_id', 'is not the document_id of the request');
  }
  return { title, content, metadata };
}

const F = DocumentSchema.field;

/** An answer that is one document with its content. */
function answer(number: number, document: Document, content: string): Buffer {
  return written((writer) => {
    writer.tag(number, WireType.LengthDelimited).fork();
    writeDocument(writer, document, content);
    writer.join();
  });
}

/** A document as it is listed and found: without its content. */
function encodeDocument(document: Document): Buffer {
  return written((writer) => writeDocument(writer, document, ''));
}

function writeDocument(writer: WireWriter, document: Document, content: string): void {
  writeText(writer, F.documentId.number, document.documentId);
  writeText(writer, F.title.number, document.title);
  writeText(writer, F.content.number, content);
  writeStruct(writer, F.metadata.number, document.metadata);
  writeTimestamp(writer, F.createTime.number, document.createTime);
  writeNumber(writer, F.chunkCount.number, document.chunkCount);
}

function encodeResult({ document, ...found }: SearchResult): Buffer {
  const about = field(SearchResultSchema.field.document.number, encodeDocument(document));
  return Buffer.concat([about, toBinary(SearchResultSchema, create(SearchResultSchema, found))]);
}
