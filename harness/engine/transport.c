#include "engine/transport.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

#define CONNECT_TIMEOUT_MS 5000
#define PIECE_BYTES (128L * 1024)

static void initialise_curl(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        memory_is_out(); // nothing else fails in it
}

static char *file_in_folder(const char *folder, const char *name) {
    if (folder == NULL)
        return NULL;
    autofree_string char *path = path_join(folder, name);
    return file_exists(path) ? TAKE(path) : NULL;
}

// The part of an address after "scheme://", or NULL when the scheme is another.
static const char *after_scheme(const char *host, const char *scheme) {
    const size_t length = strlen(scheme);
    return strncmp(host, scheme, length) == 0 ? host + length : NULL;
}

// "host:port" or "host:port/prefix" as a base URL; the port is added where it is missing, as the
// docker command does.
static char *base_url(const char *authority, bool tls) {
    autofree_string char *copy = memory_copy_string(authority);
    char *slash = strchr(copy, '/');
    autofree_string char *prefix = memory_copy_string(slash != NULL ? slash : "");
    if (slash != NULL)
        *slash = '\0';
    size_t length = strlen(prefix);
    while (length > 0 && prefix[length - 1] == '/')
        prefix[--length] = '\0';
    const char *bracket = strrchr(copy, ']'); // the end of an IPv6 address
    const bool has_port = strchr(bracket != NULL ? bracket : copy, ':') != NULL;
    return memory_format("%s://%s%s%s", tls ? "https" : "http", copy,
                         has_port ? "" : (tls ? ":2376" : ":2375"), prefix);
}

static bool parse_host(struct transport *self, const char *host, struct error *err) {
    const char *rest = after_scheme(host, "unix://");
    if (rest != NULL) {
        if (rest[0] != '/')
            return error_set(err, ERROR_CONFIGURATION, 0,
                             "the engine address %s has no absolute path: write unix:///path",
                             host);
        self->tls = false;
        self->socket_path = memory_copy_string(rest);
        self->base_url = memory_copy_string("http://localhost");
        return true;
    }
    if ((rest = after_scheme(host, "https://")) != NULL)
        self->tls = true;
    else if ((rest = after_scheme(host, "tcp://")) == NULL)
        rest = after_scheme(host, "http://");
    if (rest == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "the engine address %s is not one that assay can use: it speaks unix://, "
                         "tcp:// and https:// (for ssh://, forward the engine's socket: "
                         "ssh -L /tmp/docker.sock:/var/run/docker.sock HOST)",
                         host);
    if (rest[0] == '\0' || rest[0] == '/' || rest[0] == ':')
        return error_set(err, ERROR_CONFIGURATION, 0, "the engine address %s names no host", host);
    self->base_url = base_url(rest, self->tls);
    return true;
}

bool transport_init(struct transport *self, const struct engine_options *options,
                    struct error *err) {
    static pthread_once_t curl_is_ready = PTHREAD_ONCE_INIT;
    pthread_once(&curl_is_ready, initialise_curl);
    *self = (struct transport){
        .tls = options->certificates != NULL,
        .verify_peer = options->certificates == NULL || options->verify_peer,
        .connect_timeout_ms =
            options->connect_timeout_ms > 0 ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS,
        .ca_file = file_in_folder(options->certificates, "ca.pem"),
        .certificate_file = file_in_folder(options->certificates, "cert.pem"),
        .key_file = file_in_folder(options->certificates, "key.pem"),
    };
    pthread_mutex_init(&self->mutex, NULL);
    return parse_host(self, options->host, err);
}

static void channel_free(struct channel *channel) {
    curl_easy_cleanup(channel->easy);
    curl_multi_cleanup(channel->multi);
    free(channel);
}

void transport_done(struct transport *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->idle_count; i++)
        channel_free(self->idle[i]);
    pthread_mutex_destroy(&self->mutex);
    free(self->base_url);
    free(self->socket_path);
    free(self->ca_file);
    free(self->certificate_file);
    free(self->key_file);
    *self = (struct transport){0};
}

static void set_up(const struct transport *self, struct channel *channel) {
    CURL *easy = channel->easy;
    channel->reason[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, channel->reason);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, PIECE_BYTES);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, PIECE_BYTES);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)self->connect_timeout_ms);
    if (self->socket_path != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, self->socket_path);
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); // not those of the environment either
        return;
    }
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, self->verify_peer ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, self->verify_peer ? 2L : 0L);
    if (self->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, self->ca_file);
    if (self->certificate_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, self->certificate_file);
    if (self->key_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, self->key_file);
}

struct channel *transport_take(struct transport *self) {
    struct channel *channel = NULL;
    pthread_mutex_lock(&self->mutex);
    if (self->idle_count > 0)
        channel = self->idle[--self->idle_count];
    pthread_mutex_unlock(&self->mutex);
    if (channel != NULL) {
        curl_easy_reset(channel->easy); // its connection lives on in `multi`
    } else {
        channel = memory_new(1, sizeof *channel);
        channel->multi = curl_multi_init();
        channel->easy = curl_easy_init();
        if (channel->multi == NULL || channel->easy == NULL)
            memory_is_out();
        curl_multi_setopt(channel->multi, CURLMOPT_MAXCONNECTS, 1L);
    }
    set_up(self, channel);
    return channel;
}

void transport_give(struct transport *self, struct channel *channel, bool reusable) {
    pthread_mutex_lock(&self->mutex);
    const bool kept = reusable && self->idle_count < TRANSPORT_IDLE_CHANNELS;
    if (kept)
        self->idle[self->idle_count++] = channel;
    pthread_mutex_unlock(&self->mutex);
    if (!kept)
        channel_free(channel);
}

static size_t discard(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

bool transport_other_dialect_answers(struct transport *self) {
    if (self->socket_path != NULL)
        return false;
    struct channel *channel = transport_take(self);
    const char *authority = strstr(self->base_url, "://");
    autofree_string char *url =
        memory_format("%s%s/_ping", self->tls ? "http" : "https", authority);
    curl_easy_setopt(channel->easy, CURLOPT_URL, url);
    curl_easy_setopt(channel->easy, CURLOPT_SSL_VERIFYPEER, 0L); // who it is does not matter here
    curl_easy_setopt(channel->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(channel->easy, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(channel->easy, CURLOPT_TIMEOUT_MS, (long)self->connect_timeout_ms);
    curl_easy_setopt(channel->easy, CURLOPT_CONNECT_ONLY, self->tls ? 0L : 1L);
    const CURLcode code = curl_easy_perform(channel->easy);
    long status = 0;
    curl_easy_getinfo(channel->easy, CURLINFO_RESPONSE_CODE, &status);
    transport_give(self, channel, false);
    // A TLS server may answer plain HTTP too, but only to refuse it.
    return code == CURLE_OK && (!self->tls || status == 200);
}
