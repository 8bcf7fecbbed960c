#ifndef VIGIL_CRDKAFKA_H
#define VIGIL_CRDKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#endif
