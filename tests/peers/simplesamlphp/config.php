<?php

/* SimpleSAMLphp's settings, as its installation guide asks for them; places come from the environment. */

$folder = getenv('PEER_FOLDER');

$config = [
    'baseurlpath' => getenv('PEER_URL') . '/',
    'certdir' => "$folder/cert/",
    'loggingdir' => "$folder/",
    'datadir' => "$folder/data/",
    'tempdir' => "$folder/tmp",
    'attributenamemapdir' => getenv('PEER_INSTALLED') . '/etc/simplesamlphp/attributemap/',
    'metadatadir' => __DIR__ . '/metadata/',

    'secretsalt' => hash('sha256', $folder),
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'timezone' => 'UTC',
    'showerrors' => true,
    'errorreporting' => false,
    'logging.handler' => 'file',
    'logging.logfile' => 'simplesamlphp.log',
    'logging.level' => SimpleSAML\Logger::NOTICE,
    'admin.checkforupdates' => false,

    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],

    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$folder/sessions",
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,

    /* Each service provider is there by the metadata it publishes, unchanged. */
    'metadata.sources' => array_merge(
        [['type' => 'flatfile']],
        array_map(
            function ($file) {
                return ['type' => 'xml', 'file' => $file];
            },
            glob("$folder/sp/*.xml")
        )
    ),
];
