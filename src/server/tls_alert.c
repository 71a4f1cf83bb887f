/* Which alert a failure earns, and an alert that is sent past mbedTLS. */
#include "server/tls_internal.h"

#include <mbedtls/ssl.h>

#include <string.h>

void tls_alert(uint8_t description, uint8_t out[TLS_ALERT_LEN])
{
    static const uint8_t head[] = { 21, 3, 3, 0, 2, 2 }; /* alert, TLS 1.2, 2 bytes, fatal */

    memcpy(out, head, sizeof(head));
    out[sizeof(head)] = description;
}

int tls_alert_for(int error, bool is_before_server_hello)
{
    switch (error) {
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return TLS_NO_ALERT;
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
        return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
        return MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
    case MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER:
        return MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER;
    case MBEDTLS_ERR_SSL_DECODE_ERROR:
        return MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR;
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION;
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA: /* a key share is wrong; later, a record is too long */
        return is_before_server_hello ? MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER
                                      : MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW;
    default:
        return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
    }
}
