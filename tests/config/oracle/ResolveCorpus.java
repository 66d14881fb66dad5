import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Reads paths of HOCON files from standard input; for each writes one line: "ok" and its JSON, "no" and why, or "broken". */
public final class ResolveCorpus {
    public static void main(String[] arguments) throws Exception {
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, "UTF-8");
        String path;
        while ((path = paths.readLine()) != null) {
            answers.println(answer(path));
        }
    }

    private static String answer(String path) {
        try {
            ConfigParseOptions options = ConfigParseOptions.defaults().setAllowMissing(false);
            Config config = ConfigFactory.parseFile(new File(path), options).resolve();
            return "ok " + config.root().render(ConfigRenderOptions.concise());
        } catch (ConfigException.BugOrBroken error) {
            return "broken";
        } catch (RuntimeException | StackOverflowError error) {
            String message = String.valueOf(error.getMessage());
            return "no " + ConfigValueFactory.fromAnyRef(message).render(ConfigRenderOptions.concise());
        }
    }
}
