import java.io.InputStream;
import java.net.URI;
import java.util.Base64;
import java.util.StringJoiner;
import javax.net.ssl.HttpsURLConnection;

/** Fetches with HttpsURLConnection. Arguments: name, Host or "", how often; version and groups are properties. */
class Fetch {
    public static void main(String[] arguments) throws Exception {
        String name = arguments[0], host = arguments[1], version = null, certificate = null;
        Base64.Encoder base64 = Base64.getEncoder();
        StringJoiner answers = new StringJoiner(", ");

        for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
            HttpsURLConnection connection = (HttpsURLConnection) URI
                .create("https://" + name + "/.well-known/mta-sts.txt").toURL().openConnection();
            if (!host.isEmpty())
                connection.setRequestProperty("Host", host);
            int status = connection.getResponseCode();
            InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            certificate = base64.encodeToString(connection.getServerCertificates()[0].getEncoded());
            version = connection.getSSLSession().get().getProtocol();
            answers.add("[" + status + ", " + quoted(base64.encodeToString(stream.readAllBytes())) + "]");
        }
        System.out.println("{\"version\": " + quoted(version) + ", \"group\": null, \"certificate\": "
            + quoted("-----BEGIN CERTIFICATE-----\\n" + certificate + "\\n-----END CERTIFICATE-----\\n")
            + ", \"answers\": [" + answers + "]}");
    }

    /** None of these strings has anything in it that JSON would have escaped. */
    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
