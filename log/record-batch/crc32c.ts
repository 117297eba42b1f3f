/** The checksum of RecordBatch v2 is that of the database's files. */
export { crc32c } from "#disk";
