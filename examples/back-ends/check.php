<?php
// Asks `hashgate serve` about a file that has arrived. Needs PHP 8.1 and no extension.
//
//   php check.php FILE...
//
// HASHGATE_URL is the server, by default http://127.0.0.1:8787. HASHGATE_TOKEN is a token of its --token-file, if it has
// one. Ends with status 1 if a file is held, and with 2 if there was no verdict.
declare(strict_types=1);

/**
 * Returns whether a file may be kept, and the verdict. In a form's handler, give it $_FILES['picture']['tmp_name'].
 *
 * @throws RuntimeException if the server gave no verdict: it is down, busy, or has no list.
 */
function check(string $path): array
{
    $headers = ['Content-Type: application/octet-stream'];
    if ($token = getenv('HASHGATE_TOKEN')) {
        $headers[] = "Authorization: Bearer $token";
    }
    // Without ignore_errors, PHP would throw the verdict on a held file away.
    $http = ['method' => 'POST', 'header' => $headers, 'timeout' => 60, 'ignore_errors' => true];
    $http['content'] = file_get_contents($path);
    $url = (getenv('HASHGATE_URL') ?: 'http://127.0.0.1:8787') . '/v1/check';
    $body = @file_get_contents($url, false, stream_context_create(['http' => $http]));
    // Only the server's own answers have this header. A proxy's error page has none.
    $decision = preg_grep('/^x-hashgate-decision: (upload|hold)$/i', $http_response_header ?? []);
    if ($body === false || count($decision) !== 1) {
        throw new RuntimeException('no verdict: ' . ($http_response_header[0] ?? 'no answer'));
    }
    return [str_ends_with(end($decision), 'upload'), json_decode($body, true, flags: JSON_THROW_ON_ERROR)];
}

function main(array $paths): int
{
    $held = 0;
    foreach ($paths as $path) {
        try {
            [$may_pass, $verdict] = check($path);
        } catch (RuntimeException $error) {
            fwrite(STDERR, "$path: {$error->getMessage()}\n");
            return 2;
        }
        $held = $may_pass ? $held : 1;
        echo "$path: {$verdict['outcome']}, ", $may_pass ? 'pass' : 'hold', "\n";
    }
    return $held;
}

// Does nothing if another script includes this one.
if (realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__) {
    exit(main(array_slice($argv, 1)));
}
