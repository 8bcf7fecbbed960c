#ifndef VIGIL_CRDKAFKA_H
#define VIGIL_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

/// One header to produce. The name ends with NUL; a null value is a header without one.
typedef struct {
    const char *name;
    const void *value;
    size_t value_count;
} vk_header;

/// Hands one record to the producer, which copies all of it. `partition` -1 asks the partitioner; a null `key` or
/// `value` is a record without one. `tag` comes back with the delivery report. Never blocks.
/// RD_KAFKA_RESP_ERR_NO_ERROR, or why it was not taken.
rd_kafka_resp_err_t vk_produce(
    rd_kafka_t *client, const char *topic, int32_t partition, const void *key, size_t key_count, const void *value,
    size_t value_count, const vk_header *headers, size_t header_count, void *tag);

/// Hands a consumed record's value, headers and timestamp to the producer under another key, which the partitioner
/// places. One that is too large for that keeps the first `kept_count` bytes of its value and no headers. Otherwise as
/// `vk_produce`.
rd_kafka_resp_err_t vk_forward(
    rd_kafka_t *client, const char *topic, const void *key, size_t key_count, const rd_kafka_message_t *record,
    size_t kept_count);

/// A mock cluster of one broker listening at 127.0.0.1 on `port` (0: any free one). Null when it can't, such as
/// when the port is taken.
rd_kafka_mock_cluster_t *vk_mock_cluster_new(rd_kafka_t *client, uint16_t port);
#endif
