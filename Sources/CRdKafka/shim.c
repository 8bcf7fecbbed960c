#define _GNU_SOURCE
#include "CRdKafka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The headers may be null. They are the client's only once it has taken the record. A timestamp of 0 is now.
static rd_kafka_resp_err_t produce(
    rd_kafka_t *client, const char *topic, int32_t partition, const void *key, size_t key_count, const void *value,
    size_t value_count, rd_kafka_headers_t *headers, int64_t timestamp, void *tag) {
    rd_kafka_resp_err_t error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_count), RD_KAFKA_V_VALUE((void *)value, value_count), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE(tag), RD_KAFKA_V_END);
    if (error && headers) rd_kafka_headers_destroy(headers);
    return error;
}

rd_kafka_resp_err_t vk_produce(
    rd_kafka_t *client, const char *topic, int32_t partition, const void *key, size_t key_count, const void *value,
    size_t value_count, const vk_header *headers, size_t header_count, void *tag) {
    rd_kafka_headers_t *list = NULL;
    if (header_count > 0) {
        list = rd_kafka_headers_new(header_count);
        for (size_t i = 0; i < header_count; i++) {
            rd_kafka_resp_err_t error = rd_kafka_header_add(
                list, headers[i].name, -1, headers[i].value, (ssize_t)headers[i].value_count);
            if (error) {
                rd_kafka_headers_destroy(list);
                return error;
            }
        }
    }
    return produce(client, topic, partition, key, key_count, value, value_count, list, 0, tag);
}

rd_kafka_resp_err_t vk_forward(
    rd_kafka_t *client, const char *topic, const void *key, size_t key_count, const rd_kafka_message_t *record,
    size_t kept_count) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(record, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp < 0) timestamp = 0;
    rd_kafka_headers_t *borrowed = NULL;
    if (rd_kafka_message_headers(record, &borrowed) != RD_KAFKA_RESP_ERR_NO_ERROR) borrowed = NULL;
    rd_kafka_resp_err_t error = produce(
        client, topic, RD_KAFKA_PARTITION_UA, key, key_count, record->payload, record->len,
        borrowed ? rd_kafka_headers_copy(borrowed) : NULL, timestamp, NULL);
    if (error != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return error;
    return produce(
        client, topic, RD_KAFKA_PARTITION_UA, key, key_count, record->payload,
        record->len < kept_count ? record->len : kept_count, NULL, timestamp, NULL);
}

// The mock cluster binds to a port of the kernel's choice and advertises that one; it offers no way to ask for
// another. So this process's bind(2) gives the one socket that is bound while the cluster is made its port.
static _Thread_local uint16_t wanted_port;

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    if (wanted_port != 0 && length == sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
        struct sockaddr_in chosen;
        memcpy(&chosen, address, sizeof chosen);
        if (chosen.sin_port == 0) {
            chosen.sin_port = htons(wanted_port);
            return (int)syscall(SYS_bind, fd, &chosen, length);
        }
    }
    return (int)syscall(SYS_bind, fd, address, length);
}

// The mock cluster crashes when it can't bind, so ask first.
static int can_listen(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return 0;
    int free = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
               bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
    close(fd);
    return free;
}

rd_kafka_mock_cluster_t *vk_mock_cluster_new(rd_kafka_t *client, uint16_t port) {
    if (!can_listen(port)) return NULL;
    wanted_port = port;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    wanted_port = 0;
    return cluster;
}
