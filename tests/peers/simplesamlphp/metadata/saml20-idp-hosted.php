<?php

/*
 * The identity provider as SimpleSAMLphp's guide sets one up (an e-mail address as NameID, attributes by
 * their object identifiers), and what a test wants otherwise.
 */

$wanted = json_decode(file_get_contents(getenv('PEER_FOLDER') . '/wanted.json'), true);

$metadata['__DYNAMIC:1__'] = $wanted + [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp.pem',
    'certificate' => 'idp.crt',
    'auth' => 'people',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'authproc' => [
        3 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'mail',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        ],
        100 => ['class' => 'core:AttributeMap', 'name2oid'],
    ],
];
